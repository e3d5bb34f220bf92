import { Connection } from "./connection.ts";
import type { RecordedRequest } from "./http-wire.ts";
import { type Intake, replyOf, type Script, type ScriptedReply } from "./scripted-reply.ts";

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
  /** Sets how `METHOD path` is answered from now on; a sequence begins anew. HEAD falls back on the script of GET; what has none is 404. */
  on(method: string, path: string, script: Script): void;
  /** How the bodies of the next requests with that method are taken, one each, whatever their path; then they are taken whole again. */
  take(method: string, intakes: readonly (Intake | "whole")[]): void;
  /** How often `METHOD path` was asked. */
  count(method: string, path: string): number;
  stop(): void;
}

/** How a scripted upstream listens: with a certificate it speaks TLS. */
export interface ScriptedUpstreamOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
}

interface Route {
  readonly script: Script;
  asked: number;
}

const notFound: ScriptedReply = { status: 404, body: `{"errors":[{"code":"NAME_UNKNOWN"}]}` };

/** Starts one on 127.0.0.1 at a free port. Stop it when the test ends. */
export function startScriptedUpstream(options: ScriptedUpstreamOptions = {}): ScriptedUpstream {
  const routes = new Map<string, Route>();
  const counts = new Map<string, number>();
  const requests: RecordedRequest[] = [];
  const intakes = new Map<string, (Intake | "whole")[]>();
  let connections = 0;

  function respond(request: RecordedRequest): Promise<ScriptedReply> {
    requests.push(request);
    const key = `${request.method} ${request.path}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const route = routes.get(key) ?? (request.method === "HEAD" ? routes.get(`GET ${request.path}`) : undefined);
    if (route === undefined) return Promise.resolve(notFound);
    route.asked += 1;
    return replyOf(route.script, request, route.asked);
  }

  function intake({ method }: { readonly method: string }): Intake | undefined {
    const next = intakes.get(method)?.shift();
    return next === "whole" ? undefined : next;
  }

  const listener = Bun.listen<Connection | undefined>({
    hostname: "127.0.0.1",
    port: 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    socket: {
      open(socket) {
        connections += 1;
        socket.data = new Connection(socket, { intake, respond });
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
    on: (method, path, script) => void routes.set(`${method} ${path}`, { script, asked: 0 }),
    take: (method, next) => void intakes.set(method, [...next]),
    count: (method, path) => counts.get(`${method} ${path}`) ?? 0,
    stop: () => listener.stop(true),
  };
}
