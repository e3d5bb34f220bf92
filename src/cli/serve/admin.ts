import { dirname } from "node:path";
import type { Settings } from "../../config/settings.ts";
import { createAdmin } from "../../server/admin.ts";
import { type AdminSocket, openAdminSocket } from "../../server/admin-socket.ts";
import { keepingOf } from "./keeping.ts";
import type { Cache } from "./runtime.ts";

/** What the admin socket of a server needs. */
export interface AdminWorld {
  readonly cache: Cache;
  /** The settings in force now. */
  readonly settings: () => Settings;
  readonly say: (message: string) => void;
}

/** Opens the admin socket of a server; without one it serves all the same, and says so. */
export async function openAdmin({ cache, settings, say }: AdminWorld): Promise<AdminSocket | undefined> {
  const path = settings().adminSocket;
  if (path === undefined) return undefined;
  const handle = createAdmin({ keeping: () => keepingOf(cache, settings()), report: say });
  // The lock says that no other process has this storage folder, so neither a socket in it.
  const opened = await openAdminSocket(handle, { path, isOwned: dirname(path) === cache.storage.layout.root });
  if (opened.kind === "open") return opened;
  say(`no admin socket, commands cannot reach this server: ${opened.reason}`);
  return undefined;
}
