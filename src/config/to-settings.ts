import { resolve } from "node:path";
import { accessOf } from "./access.ts";
import { checkTogether } from "./checks.ts";
import { checkContents } from "./contents.ts";
import { adminSocketName } from "./defaults.ts";
import { type Draft, fromFile } from "./draft.ts";
import { namedFiles } from "./files.ts";
import { redirectOf } from "./redirect.ts";
import { rulesOf, tableOf } from "./rules.ts";
import { storageOf } from "./storage.ts";
import type { LogFormat, Settings } from "./settings.ts";
import { upstreamsOf } from "./upstreams.ts";

/** The longest path of a Unix socket that every system takes (`sun_path`, 104 bytes with the NUL on macOS). */
const MAX_SOCKET_PATH_BYTES = 103;
const MAX_WORKERS = 256;

/** Turns what was read into settings. They are only fit for use when the draft's findings hold no problem afterwards. */
export function toSettings(draft: Draft): Settings {
  checkContents(draft);
  const upstreams = upstreamsOf(draft);
  const placed = rulesOf(draft, upstreams);
  const storage = storageOf(draft, placed);
  const settings: Settings = {
    ...accessOf(draft),
    storage,
    upstreams,
    table: tableOf(draft, placed),
    redirect: redirectOf(draft),
    log: logOf(draft),
    adminSocket: adminSocketOf(draft, storage?.folder),
    workers: workersOf(draft),
    files: filesOf(draft),
  };
  checkTogether(draft, settings, placed);
  return settings;
}

function adminSocketOf(draft: Draft, storage: string | undefined): string | undefined {
  const given = draft.config.adminSocket;
  const path = given === undefined ? storage && resolve(storage, adminSocketName) : fromFile(draft, given);
  if (path === undefined || Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path;
  const message = `${path} is too long for a Unix socket (${MAX_SOCKET_PATH_BYTES} bytes)`;
  if (given !== undefined) draft.findings.problem(["adminSocket"], message);
  else draft.findings.warning(["adminSocket"], `${message}: there is none; give a shorter one`);
  return undefined;
}

function logOf({ config, overrides, findings }: Draft): LogFormat {
  const log = overrides.log ?? config.log ?? "json";
  if (log === "json" || log === "text" || log === "off") return log;
  findings.problem(["--log"], "must be json, text or off");
  return "json";
}

function workersOf({ config, overrides, findings }: Draft): number {
  if (overrides.workers === undefined) return config.workers ?? 1;
  const workers = Number(overrides.workers);
  if (Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS) return workers;
  findings.problem(["--workers"], `must be a whole number from 1 to ${MAX_WORKERS}`);
  return 1;
}

/** What a change of is a reason to reload: all but password files, which are read again whenever they are used. */
function filesOf(draft: Draft): readonly string[] {
  const named = namedFiles(draft.config).filter(({ holds }) => holds !== "password");
  const files = named.map(({ path }) => fromFile(draft, path));
  return [...new Set(draft.source === undefined ? files : [draft.source.path, ...files])];
}
