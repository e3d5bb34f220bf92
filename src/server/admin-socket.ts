import { lstatSync, unlinkSync } from "node:fs";
import { createConnection } from "node:net";
import type { AdminHandler } from "./admin.ts";

/** An open socket. */
export interface AdminSocket {
  readonly kind: "open";
  /** Cuts off what still goes on. */
  close(): Promise<void>;
}

/** Why there is no socket. */
export interface NoAdminSocket {
  readonly kind: "refused";
  readonly reason: string;
}

/** Where the socket is. */
export interface SocketPlace {
  readonly path: string;
  /** Nobody else may have a socket there: what is there was left by a process that is gone. */
  readonly isOwned: boolean;
}

const bodyMaxBytes = 32 * 1024 * 1024;
const connectMs = 1000;
/** Only the owner may read, write and so connect. */
const othersMask = 0o177;

/**
 * Between two events of a long operation nothing may have to be said. The runtime's types do not know this option for Unix
 * sockets, where it counts all the same and is 10 s without it; `Server.timeout` has no effect there (Bun 1.4.5).
 */
const patience: object = { idleTimeout: 0 };

/** Opens the admin API on a Unix socket that only this user may connect to. Removes one that was left behind. */
export async function openAdminSocket(handle: AdminHandler, place: SocketPlace): Promise<AdminSocket | NoAdminSocket> {
  const inTheWay = await clear(place);
  if (inTheWay !== undefined) return { kind: "refused", reason: inTheWay };
  const before = process.umask(othersMask);
  try {
    const server = Bun.serve({
      ...patience,
      unix: place.path,
      development: false,
      maxRequestBodySize: bodyMaxBytes,
      fetch: handle,
    });
    return { kind: "open", close: () => server.stop(true) };
  } catch (error) {
    return { kind: "refused", reason: `cannot listen on ${place.path}: ${String(error)}` };
  } finally {
    process.umask(before);
  }
}

/** Takes away a socket that nobody listens on; what is in the way otherwise. */
async function clear({ path, isOwned }: SocketPlace): Promise<string | undefined> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isSocket()) return `${path} is there and is no socket; it is left alone`;
  if (!isOwned && (await isAlive(path))) return `another process listens on ${path}; give this one another adminSocket`;
  unlinkSync(path);
  return undefined;
}

/** Whether anybody listens. Only a refused connection says that nobody does. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const settle = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(connectMs, () => settle(true));
    socket.once("connect", () => settle(true));
    socket.once("error", (error) => settle(!("code" in error && error.code === "ECONNREFUSED")));
  });
}
