import { existsSync } from "node:fs";
import type { Settings } from "../../config/settings.ts";
import { asFailure, Failure } from "../../errors/failure.ts";
import { createAdmin } from "../../server/admin.ts";
import { Metrics } from "../../server/metrics.ts";
import { createRemoteRegistry } from "../../registry/client.ts";
import { keepingOf } from "../serve/keeping.ts";
import { RegistryPool } from "../serve/registries.ts";
import { createCache } from "../serve/runtime.ts";
import { openStorage, type Storage } from "../serve/storage.ts";
import type { CacheIo } from "./io.ts";
import { type AdminRequest, askSocket } from "./socket.ts";

/** A way to the admin API: a running server's, or one in this process over the storage folder. */
export interface Session {
  ask(request: AdminRequest, signal: AbortSignal): Promise<Response>;
  close(): Promise<void>;
}

/** What a session is opened for. */
export interface SessionOptions {
  readonly settings: Settings;
  /** Whether a storage folder that is not there yet is made. */
  readonly mayCreate: boolean;
  readonly io: CacheIo;
  readonly warn: (message: string) => void;
}

/**
 * Opens the way to what is kept. Who holds the lock of the storage folder owns what is in it: if that can be us, the work is
 * done here, else by the server that has it. Throws `STORAGE_FAILED` and `STORAGE_LOCKED`.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { settings, mayCreate } = options;
  const { storage, adminSocket } = settings;
  if (storage === undefined) {
    throw new Failure({ code: "STORAGE_FAILED", message: "nothing is kept: no rule says serve: cache or store" });
  }
  const { folder } = storage;
  if (!mayCreate && !existsSync(folder)) {
    const message = `nothing is kept in ${folder}: there is no such folder; say where with --storage or --config`;
    throw new Failure({ code: "STORAGE_FAILED", message });
  }
  try {
    return sessionHere(await openStorage(storage, { ...options.io, nowMs: () => performance.now() }), options);
  } catch (error) {
    const failure = asFailure(error, "STORAGE_FAILED", `cannot open ${folder}`);
    if (failure.code !== "STORAGE_LOCKED") throw failure;
    return sessionThere(folder, adminSocket);
  }
}

function sessionThere(folder: string, socket: string | undefined): Session {
  return {
    ask: (request, signal) => askSocket({ folder, socket }, request, signal),
    close: () => Promise.resolve(),
  };
}

function sessionHere(storage: Storage, { settings, io, warn }: SessionOptions): Session {
  const pool = new RegistryPool(
    {
      env: io.env,
      readFile: io.readFile,
      nowMs: () => performance.now(),
      helperTimeoutMs: 10_000,
    },
    createRemoteRegistry,
  );
  pool.update(settings.upstreams);
  const cache = createCache({ storage, pool, metrics: new Metrics(), warn });
  const admin = createAdmin({ keeping: () => keepingOf(cache, settings), report: warn });
  return {
    ask: ({ path, body }) => {
      return admin(new Request(`http://localhost${path}`, { method: "POST", body: JSON.stringify(body) }));
    },
    close: async () => {
      await cache.blobs.stop();
      await cache.quota.flushPulls();
      await storage.close();
    },
  };
}
