import { Failure } from "../errors/failure.ts";
import type { ListenerTls } from "../net/tls.ts";
import type { App } from "./app.ts";

/** Where to listen, and how. */
export interface ListenerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tls: ListenerTls["options"] | undefined;
  /** Several processes take turns on the port. */
  readonly isShared: boolean;
  /** Bodies of any size are taken: blobs are pushed here. */
  readonly takesUploads?: boolean;
  /** A connection that moves no byte for this long is dropped: dead peers, readers that stopped reading. A minute if absent. */
  readonly idleSeconds?: number;
}

const defaultIdleSeconds = 60;
/** How often a stopping listener looks whether answers are still on their way. */
const lookMs = 25;
/** What takes no body is sent none that is worth reading. */
const bodyMaxBytes = 64 * 1024;
/** More than any blob: what limits an upload is the disk. */
const uploadMaxBytes = 2 ** 40;

type BunServer = ReturnType<typeof Bun.serve>;

/** An open port that hands requests to an app. */
export class Listener {
  readonly #app: App;
  readonly #options: ListenerOptions;
  #server: BunServer;
  readonly #draining = new Set<BunServer>();

  /** Opens the port. Throws `CONFIG_INVALID` when it cannot be had. */
  constructor(app: App, options: ListenerOptions) {
    this.#app = app;
    this.#options = options;
    if (options.tls !== undefined && !options.isShared) refuseTakenPort(options);
    this.#server = open(app, options);
  }

  /** Scheme, address and the port that was really given. */
  get url(): string {
    const host = this.#options.hostname.includes(":") ? `[${this.#options.hostname}]` : this.#options.hostname;
    return `${this.#options.tls === undefined ? "http" : "https"}://${host}:${this.#server.port}`;
  }

  /**
   * Goes on with other certificates. The runtime cannot change them on an open listener, so a second one is opened on the same
   * port, and the first finishes what it has. The port is never closed; a connection that is just being made may be reset.
   */
  rotate(tls: ListenerTls["options"]): void {
    const before = this.#server;
    this.#server = open(this.#app, { ...this.#options, port: before.port ?? this.#options.port, tls });
    this.#draining.add(before);
    void before.stop().finally(() => this.#draining.delete(before));
  }

  /**
   * Takes no more connections; resolves when the last answer has gone out, at the latest after `graceMs`. A connection that
   * has not asked anything, or not to the end, is not waited for.
   */
  async stop(graceMs: number): Promise<void> {
    const servers = [this.#server, ...this.#draining];
    const endMs = performance.now() + graceMs;
    for (const server of servers) void server.stop();
    while (servers.some((server) => server.pendingRequests > 0) && performance.now() < endMs) await Bun.sleep(lookMs);
    await Promise.all(servers.map((server) => server.stop(true)));
  }
}

/**
 * Throws `CONFIG_INVALID` when something listens on the port already. A listener that shares its port, with itself while it
 * changes certificates or with other workers, would not notice and take part of the other's traffic.
 */
export function refuseTakenPort({ hostname, port }: Pick<ListenerOptions, "hostname" | "port">): void {
  if (port === 0) return;
  try {
    void Bun.serve({ hostname, port, fetch: () => new Response() }).stop(true);
  } catch (error) {
    throw cannotListen(error, hostname, port);
  }
}

function open(app: App, options: ListenerOptions): BunServer {
  const { hostname, port, tls, isShared, idleSeconds = defaultIdleSeconds } = options;
  try {
    return Bun.serve({
      hostname,
      port,
      development: false,
      idleTimeout: idleSeconds,
      maxRequestBodySize: options.takesUploads === true ? uploadMaxBytes : bodyMaxBytes,
      reusePort: isShared || tls !== undefined,
      ...(tls === undefined ? {} : { tls: [...tls] }),
      fetch: (request, server) => app.handle(request, server),
      error: (error) => app.unanswerable(error),
    });
  } catch (error) {
    throw cannotListen(error, hostname, port);
  }
}

function cannotListen(error: unknown, hostname: string, port: number): Failure {
  const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  const hint = isTaken ? "something else listens there; choose another with --listen" : String(error);
  return new Failure({
    code: "CONFIG_INVALID",
    message: `cannot listen on ${hostname}:${port}: ${hint}`,
    cause: error,
  });
}
