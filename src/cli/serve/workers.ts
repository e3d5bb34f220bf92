import { mergeMetrics } from "../../server/merge-metrics.ts";

/** Set in the environment of a worker, so that it serves and does not supervise. */
const workerVariable = "PERIPLUS_WORKER";
const metricsWaitMs = 2000;
const restartMs = 1000;

/** What a worker and its supervisor tell each other. */
type Message =
  /** A worker serves, and takes signals. */
  | { readonly kind: "ready" }
  /** A worker asks for the metrics of all. */
  | { readonly kind: "ask"; readonly id: number }
  /** The supervisor asks a worker for its own. */
  | { readonly kind: "collect"; readonly id: number }
  /** A worker's own metrics. */
  | { readonly kind: "own"; readonly id: number; readonly text: string }
  /** The metrics of all. */
  | { readonly kind: "all"; readonly id: number; readonly text: string };

interface Collection {
  readonly texts: string[];
  readonly missing: Set<Bun.Subprocess>;
  readonly done: () => void;
}

/** Which worker this is, from 0 on; `undefined` in a process that no supervisor started. */
export function workerSlot(): number | undefined {
  const slot = process.env[workerVariable];
  return slot === undefined ? undefined : Number(slot);
}

/**
 * Runs `count` processes that take turns on the port, starts one again that ends by itself, and passes signals on. The
 * exit status is the worst of the workers' once all have been told to stop.
 */
export async function supervise(
  count: number,
  command: readonly string[],
  say: (message: string) => void,
): Promise<number> {
  const supervisor = new Supervisor(command, say);
  for (let i = 0; i < count; i++) supervisor.start(i);
  process.on("SIGHUP", () => supervisor.reload());
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => supervisor.stop(signal));
  return supervisor.ended;
}

class Supervisor {
  readonly #command: readonly string[];
  readonly #say: (message: string) => void;
  readonly #workers = new Map<number, Bun.Subprocess>();
  /** Those that take signals; one that has just begun would be ended by any. */
  readonly #ready = new Set<Bun.Subprocess>();
  /** Those that are to read the file again as soon as they take signals. */
  readonly #reloading = new Set<Bun.Subprocess>();
  readonly #collections = new Map<number, Collection>();
  readonly #end = Promise.withResolvers<number>();
  #isStopping = false;
  #status = 0;
  #nextId = 1;

  constructor(command: readonly string[], say: (message: string) => void) {
    this.#command = command;
    this.#say = say;
  }

  get ended(): Promise<number> {
    return this.#end.promise;
  }

  start(slot: number): void {
    const worker = Bun.spawn([...this.#command], {
      env: { ...process.env, [workerVariable]: String(slot) },
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (message: Message, from) => this.#hear(message, from),
      onExit: (ended, status) => this.#ended(slot, ended, status),
    });
    this.#workers.set(slot, worker);
  }

  reload(): void {
    for (const worker of this.#workers.values()) {
      if (this.#ready.has(worker)) worker.kill("SIGHUP");
      else this.#reloading.add(worker);
    }
  }

  #signal(signal: NodeJS.Signals): void {
    for (const worker of this.#workers.values()) worker.kill(signal);
  }

  /** Passes the signal on; a second one ends the workers at once. */
  stop(signal: NodeJS.Signals): void {
    this.#signal(this.#isStopping ? "SIGKILL" : signal);
    this.#isStopping = true;
    this.#endIfNoneIsLeft();
  }

  #ended(slot: number, worker: Bun.Subprocess, status: number | null): void {
    this.#workers.delete(slot);
    this.#reloading.delete(worker);
    const wasReady = this.#ready.delete(worker);
    // Told to stop before it took signals, it was ended by the signal itself: that is no fault of it.
    if (this.#isStopping && !wasReady) return this.#endIfNoneIsLeft();
    // One that gives up before it serves would be started for ever; one that was killed has no part in it.
    const isHopeless = !wasReady && status !== null;
    if (isHopeless) this.#isStopping = true;
    if (this.#isStopping) {
      this.#status = Math.max(this.#status, status ?? 1);
      if (isHopeless) this.#signal("SIGTERM");
      this.#endIfNoneIsLeft();
      return;
    }
    this.#say(`worker ${slot} ended ${status === null ? "by a signal" : `with status ${status}`} and is started again`);
    setTimeout(() => {
      // Told to stop meanwhile: nobody would tell a new one.
      if (!this.#isStopping) this.start(slot);
    }, restartMs);
  }

  #endIfNoneIsLeft(): void {
    if (this.#workers.size === 0) this.#end.resolve(this.#status);
  }

  #hear(message: Message, from: Bun.Subprocess): void {
    if (message.kind === "ready") {
      this.#ready.add(from);
      if (this.#reloading.delete(from)) from.kill("SIGHUP");
    }
    if (message.kind === "ask") void this.#collect(message.id, from);
    if (message.kind !== "own") return;
    const collection = this.#collections.get(message.id);
    if (collection === undefined || !collection.missing.delete(from)) return;
    collection.texts.push(message.text);
    if (collection.missing.size === 0) collection.done();
  }

  async #collect(askedId: number, asker: Bun.Subprocess): Promise<void> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<void>();
    const collection = { texts: [], missing: new Set(this.#workers.values()), done: resolve };
    this.#collections.set(id, collection);
    for (const worker of collection.missing) worker.send({ kind: "collect", id } satisfies Message);
    await Promise.race([promise, Bun.sleep(metricsWaitMs)]);
    this.#collections.delete(id);
    asker.send({ kind: "all", id: askedId, text: mergeMetrics(collection.texts) } satisfies Message);
  }
}

/** In a worker: says that signals may come. */
export function tellReady(): void {
  process.send?.({ kind: "ready" } satisfies Message);
}

/** In a worker: the metrics of all workers, by way of the supervisor; its own alone when that does not answer. */
export function sharedMetrics(own: () => string): () => Promise<string> {
  const waiting = new Map<number, (text: string) => void>();
  let nextId = 1;
  process.on("message", (message: Message) => {
    if (message.kind === "collect") process.send?.({ kind: "own", id: message.id, text: own() } satisfies Message);
    if (message.kind === "all") waiting.get(message.id)?.(message.text);
  });
  return async () => {
    const id = nextId++;
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.set(id, resolve);
    process.send?.({ kind: "ask", id } satisfies Message);
    const text = await Promise.race([promise, Bun.sleep(2 * metricsWaitMs)]);
    waiting.delete(id);
    return text ?? own();
  };
}
