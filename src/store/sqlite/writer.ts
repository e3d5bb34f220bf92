import { Database, type Statement } from "bun:sqlite";
import { parentPort } from "node:worker_threads";
import { type WriteReply, type WriteRequest, type Write, type WriteName, writes } from "./statements.ts";

// The one connection that writes, in a thread of its own: a slow disk must not stop the event loop. Requests that
// arrive while a transaction runs go into the next one together.

let database: Database | undefined;
const statements = new Map<WriteName, Statement>();
let queue: WriteRequest[] = [];
let scheduled = false;

parentPort?.on("message", (message: WriteRequest | { readonly open: string }) => {
  if ("open" in message) {
    database = new Database(message.open);
    database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;");
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
  const error = attempt(batch.flatMap((request) => request.writes));
  if (error === undefined || batch.length === 1) return reply(batch, error);
  // One request's failure must not fail its neighbours.
  for (const request of batch) reply([request], attempt(request.writes));
}

function attempt(all: readonly Write[]): string | undefined {
  const db = database;
  if (db === undefined) return "the writer has no database";
  try {
    db.run("BEGIN IMMEDIATE");
    for (const [name, ...values] of all) prepared(db, name).run(...values);
    db.run("COMMIT");
    return undefined;
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    return error instanceof Error ? error.message : String(error);
  }
}

function prepared(db: Database, name: WriteName): Statement {
  const known = statements.get(name);
  if (known !== undefined) return known;
  const made = db.prepare(writes[name]);
  statements.set(name, made);
  return made;
}

function reply(requests: readonly WriteRequest[], error: string | undefined): void {
  for (const { id } of requests) parentPort?.postMessage({ id, error } satisfies WriteReply);
}
