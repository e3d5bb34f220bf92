import { Failure } from "../../errors/failure.ts";

/** One operation and what it is asked. */
export interface AdminRequest {
  readonly path: string;
  readonly body: object;
}

/** A storage folder that another process has, and where that process should be reached. */
export interface SocketPlace {
  readonly folder: string;
  readonly socket: string | undefined;
}

/** A server that has just taken its folder opens its socket a moment later. */
const attempts = 20;
const attemptMs = 100;

/** Asks the server that has a storage folder. Throws `STORAGE_LOCKED` when it cannot be reached. */
export async function askSocket(
  { folder, socket }: SocketPlace,
  request: AdminRequest,
  signal: AbortSignal,
): Promise<Response> {
  if (socket === undefined) throw unreachable(folder, "and the path of its admin socket is too long");
  for (let attempt = 1; ; attempt++) {
    try {
      return await post(socket, request, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      const mayComeYet = notYet.has(code) && attempt < attempts;
      if (!mayComeYet) throw unreachable(folder, `and does not answer on ${socket} (${code || String(error)})`);
      await Bun.sleep(attemptMs);
    }
  }
}

const notYet: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED", "FailedToOpenSocket", "ConnectionRefused"]);

function post(socket: string, { path, body }: AdminRequest, signal: AbortSignal): Promise<Response> {
  return fetch(`http://localhost${path}`, {
    unix: socket,
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
    signal,
    timeout: false,
  });
}

function unreachable(folder: string, reason: string): Failure {
  return new Failure({
    code: "STORAGE_LOCKED",
    message: `another process has the storage folder ${folder}, ${reason}; give this command the server's --config, run it as the server's user, or wait for the other command to end`,
  });
}
