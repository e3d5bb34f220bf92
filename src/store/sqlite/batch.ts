import type { Database, Statement } from "bun:sqlite";
import { type WriteName, type WriteReply, type WriteRequest, writes } from "./statements.ts";

interface Outcome {
  readonly error: string | undefined;
  /** Requests that a guard of theirs refused, and the place of the guard. */
  readonly refused: ReadonlyMap<number, number>;
}

/** Applies requests over the one connection that writes. */
export class BatchWriter {
  readonly #database: Database;
  readonly #statements = new Map<WriteName, Statement>();

  constructor(database: Database) {
    database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;");
    this.#database = database;
  }

  /**
   * Applies all requests in one transaction, each of them whole or not at all, and says what came of each. It is on the disk when
   * one of them is to be durable.
   */
  write(batch: readonly WriteRequest[]): readonly WriteReply[] {
    const outcome = this.#attempt(batch);
    if (outcome.error === undefined || batch.length === 1) return replies(batch, outcome);
    // One request's failure must not fail its neighbours.
    return batch.flatMap((request) => replies([request], this.#attempt([request])));
  }

  #attempt(requests: readonly WriteRequest[]): Outcome {
    const refused = new Map<number, number>();
    const database = this.#database;
    try {
      // Only a commit that is synced is durable in WAL mode; it costs a trip to the disk, which all of a batch share.
      database.run(`PRAGMA synchronous = ${requests.some(({ isDurable }) => isDurable === true) ? "FULL" : "NORMAL"}`);
      database.run("BEGIN IMMEDIATE");
      for (const request of requests) {
        const refusedAt = this.#apply(request);
        if (refusedAt !== undefined) refused.set(request.id, refusedAt);
      }
      database.run("COMMIT");
      return { error: undefined, refused };
    } catch (error) {
      if (database.inTransaction) database.run("ROLLBACK");
      return { error: error instanceof Error ? error.message : String(error), refused };
    }
  }

  /** Applies one request; the place of the guard that refused it, and then none of it is applied. */
  #apply({ writes: all, guards = 0 }: WriteRequest): number | undefined {
    const database = this.#database;
    if (guards > 0) database.run("SAVEPOINT request");
    for (const [place, [name, ...values]] of all.entries()) {
      const { changes } = this.#prepared(name).run(...values);
      if (place >= guards || changes > 0) continue;
      database.run("ROLLBACK TO request; RELEASE request");
      return place;
    }
    if (guards > 0) database.run("RELEASE request");
    return undefined;
  }

  #prepared(name: WriteName): Statement {
    const known = this.#statements.get(name);
    if (known !== undefined) return known;
    const made = this.#database.prepare(writes[name]);
    this.#statements.set(name, made);
    return made;
  }
}

function replies(requests: readonly WriteRequest[], { error, refused }: Outcome): readonly WriteReply[] {
  return requests.map(({ id }) => ({ id, error, refusedAt: refused.get(id) }));
}
