import { Database, type Statement } from "bun:sqlite";
import { parentPort } from "node:worker_threads";
import { type WriteReply, type WriteRequest, type WriteName, writes } from "./statements.ts";

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
  const outcome = attempt(batch);
  if (outcome.error === undefined || batch.length === 1) return reply(batch, outcome);
  // One request's failure must not fail its neighbours.
  for (const request of batch) reply([request], attempt([request]));
}

interface Outcome {
  readonly error: string | undefined;
  /** Requests that a guard of theirs refused, and the place of the guard. */
  readonly refused: ReadonlyMap<number, number>;
}

function attempt(requests: readonly WriteRequest[]): Outcome {
  const refused = new Map<number, number>();
  const db = database;
  if (db === undefined) return { error: "the writer has no database", refused };
  try {
    // Only a commit that is synced is durable in WAL mode; it costs a trip to the disk, which all of a batch share.
    db.run(`PRAGMA synchronous = ${requests.some(({ isDurable }) => isDurable === true) ? "FULL" : "NORMAL"}`);
    db.run("BEGIN IMMEDIATE");
    for (const request of requests) {
      const refusedAt = apply(db, request);
      if (refusedAt !== undefined) refused.set(request.id, refusedAt);
    }
    db.run("COMMIT");
    return { error: undefined, refused };
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    return { error: error instanceof Error ? error.message : String(error), refused };
  }
}

/** Applies one request; the place of the guard that refused it, and then none of it is applied. */
function apply(db: Database, { writes: all, guards = 0 }: WriteRequest): number | undefined {
  if (guards > 0) db.run("SAVEPOINT request");
  for (const [place, [name, ...values]] of all.entries()) {
    const { changes } = prepared(db, name).run(...values);
    if (place >= guards || changes > 0) continue;
    db.run("ROLLBACK TO request; RELEASE request");
    return place;
  }
  if (guards > 0) db.run("RELEASE request");
  return undefined;
}

function prepared(db: Database, name: WriteName): Statement {
  const known = statements.get(name);
  if (known !== undefined) return known;
  const made = db.prepare(writes[name]);
  statements.set(name, made);
  return made;
}

function reply(requests: readonly WriteRequest[], { error, refused }: Outcome): void {
  for (const { id } of requests)
    parentPort?.postMessage({ id, error, refusedAt: refused.get(id) } satisfies WriteReply);
}
