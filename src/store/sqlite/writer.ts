import { Database } from "bun:sqlite";
import { parentPort } from "node:worker_threads";
import { BatchWriter } from "./batch.ts";
import type { WriteRequest } from "./statements.ts";

// The one connection that writes, in a thread of its own: a slow disk must not stop the event loop. Requests that
// arrive while a transaction runs go into the next one together.

let writer: BatchWriter | undefined;
let queue: WriteRequest[] = [];
let scheduled = false;

parentPort?.on("message", (message: WriteRequest | { readonly open: string }) => {
  if ("open" in message) {
    writer = new BatchWriter(new Database(message.open));
    return;
  }
  queue.push(message);
  if (scheduled) return;
  scheduled = true;
  setImmediate(drain);
});

function drain(): void {
  scheduled = false;
  const batch = queue;
  queue = [];
  for (const reply of writer?.write(batch) ?? []) parentPort?.postMessage(reply);
}
