import { Connection } from "./connection.ts";
import type { RecordedRequest } from "./http-wire.ts";
import { replyOf, type Script, type ScriptedReply } from "./scripted-reply.ts";

/** An upstream on a loopback port that answers by script and remembers everything it was asked. */
export interface ScriptedUpstream {
  /** Scheme and authority, no trailing slash. */
  readonly url: string;
  /** Address and port. */
  readonly authority: string;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How many connections were accepted. */
  readonly connections: () => number;
  /** Sets how `METHOD path` is answered, from now on. HEAD falls back on the script of GET; what has none is 404. */
  on(method: string, path: string, script: Script): void;
  /** How often `METHOD path` was asked. */
  count(method: string, path: string): number;
  stop(): void;
}

/** How a scripted upstream listens: with a certificate it speaks TLS. */
export interface ScriptedUpstreamOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
}

const notFound: ScriptedReply = { status: 404, body: `{"errors":[{"code":"NAME_UNKNOWN"}]}` };

/** Starts one on 127.0.0.1 at a free port. Stop it when the test ends. */
export function startScriptedUpstream(options: ScriptedUpstreamOptions = {}): ScriptedUpstream {
  const scripts = new Map<string, Script>();
  const counts = new Map<string, number>();
  const requests: RecordedRequest[] = [];
  let connections = 0;

  function respond(request: RecordedRequest): Promise<ScriptedReply> {
    requests.push(request);
    const key = `${request.method} ${request.path}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    const script = scripts.get(key) ?? (request.method === "HEAD" ? scripts.get(`GET ${request.path}`) : undefined);
    return replyOf(script ?? notFound, request, nth);
  }

  const listener = Bun.listen<Connection | undefined>({
    hostname: "127.0.0.1",
    port: 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    socket: {
      open(socket) {
        connections += 1;
        socket.data = new Connection(socket, respond);
      },
      data: (socket, bytes) => socket.data?.received(bytes),
      drain: (socket) => socket.data?.drained(),
      close: (socket) => socket.data?.closed(),
      error: (socket) => socket.data?.closed(),
    },
  });
  const authority = `127.0.0.1:${listener.port}`;
  return {
    url: `${options.tls === undefined ? "http" : "https"}://${authority}`,
    authority,
    requests,
    connections: () => connections,
    on: (method, path, script) => void scripts.set(`${method} ${path}`, script),
    count: (method, path) => counts.get(`${method} ${path}`) ?? 0,
    stop: () => listener.stop(true),
  };
}
