import type { Path } from "../../config/problem.ts";
import { parsePlatform } from "../../reference/platform.ts";
import type { PlatformChoice, SyncEntry } from "../plan-input.ts";
import { type Read, type ReadEntry, type Reading, readValid } from "../reading.ts";
import { intervalSchedule, type Schedule, type ScheduleRefusal } from "../schedule.ts";
import { registryOf } from "./creds.ts";
import { entryFields, expand, refFields } from "./expand.ts";
import type { RegsyncDefaults, RegsyncEntry, RegsyncShared } from "./file.ts";
import { parseGoDuration } from "./go-duration.ts";
import { stripIgnored } from "./ignored.ts";
import { placesOf } from "./places.ts";
import { parseRegsyncSchedule } from "./schedule.ts";
import { regsyncJsonSchema, regsyncSchema } from "./schema.ts";

/** Reads a regsync file, version 1, as it is. Keys that mean nothing here are warned of. */
export function readRegsync(reading: Reading, value: unknown): Read | undefined {
  const { value: stripped, ignored } = stripIgnored(value);
  for (const { path, message } of ignored) reading.findings.warning(path, message);
  const valid = readValid(reading, regsyncSchema, stripped, regsyncJsonSchema);
  if (valid === undefined) return undefined;
  const { value: file, indexOf } = valid;
  const defaults = file.defaults ?? {};
  const parallel = Number(defaults.parallel ?? 0);
  return {
    entries: (file.sync ?? []).flatMap((entry, position) => {
      return entryOf(reading, entry, defaults, ["sync", indexOf("sync", position)]);
    }),
    keys: { from: "source", tags: "tags", platforms: "platforms", backup: "backup", delete: "delete" },
    registries: (file.creds ?? []).flatMap((creds, position) => {
      return registryOf(reading, creds, ["creds", indexOf("creds", position)]);
    }),
    dockerConfig: defaults.skipDockerConfig !== true,
    parallel: parallel === 0 ? undefined : parallel,
  };
}

function entryOf(reading: Reading, written: RegsyncEntry, defaults: RegsyncDefaults, path: Path): readonly ReadEntry[] {
  const places = placesOf(reading, written, path);
  if (places === undefined) return [];
  checkUnused(reading, written, path);
  const entry: SyncEntry = {
    at: reading.placeOf(path),
    ...places,
    platforms: platformsOf(written),
    referrers: written.referrers ?? defaults.referrers ?? false,
    digestTags: written.digestTags ?? defaults.digestTags ?? false,
    backup: backupOf(reading, written, defaults, path),
    delete: false,
    schedule: scheduleOf(reading, written, defaults, path),
  };
  return [{ entry, path, targetPath: [...path, "target"] }];
}

/** Filters where nothing is filtered: regsync passes over them. */
function checkUnused({ findings }: Reading, { type, tags, tagSets, repos }: RegsyncEntry, path: Path): void {
  if (type === "image" && tags) findings.warning([...path, "tags"], "is not used with type image");
  if (type === "image" && tagSets) findings.warning([...path, "tagSets"], "is not used with type image");
  if (type !== "registry" && repos) findings.warning([...path, "repos"], `is not used with type ${type}`);
}

function platformsOf({ platform, platforms }: RegsyncEntry): PlatformChoice {
  const single = platform === undefined ? undefined : parsePlatform(platform);
  if (single !== undefined) return { kind: "single", platform: single };
  const several = (platforms ?? []).map((text) => parsePlatform(text)).filter((found) => found !== undefined);
  return several.length === 0 ? { kind: "all" } : { kind: "index-of", platforms: several };
}

function backupOf(reading: Reading, written: RegsyncEntry, defaults: RegsyncDefaults, path: Path): SyncEntry["backup"] {
  const own = written.backup === undefined || written.backup === "" ? undefined : written.backup;
  const backup = own ?? defaults.backup ?? "";
  if (backup === "") return undefined;
  const at = own === undefined ? ["defaults", "backup"] : [...path, "backup"];
  return expand(reading, backup, at, new Map([...entryFields(written), ...refFields]));
}

/** An entry's own schedule or interval, the schedule first; else that of the defaults. */
function scheduleOf(
  reading: Reading,
  written: RegsyncEntry,
  defaults: RegsyncDefaults,
  path: Path,
): Schedule | undefined {
  const own = timesOf(written, path);
  const [key, schedule] = own ?? timesOf(defaults, ["defaults"]) ?? [];
  if (schedule === undefined || key === undefined) return undefined;
  if (!("reason" in schedule)) return schedule;
  reading.findings.problem(key, schedule.reason);
  return undefined;
}

function timesOf(
  { schedule, interval }: RegsyncShared,
  path: Path,
): readonly [Path, Schedule | ScheduleRefusal] | undefined {
  if (schedule !== undefined && schedule !== "") return [[...path, "schedule"], parseRegsyncSchedule(schedule)];
  const everyMs = interval === undefined ? undefined : parseGoDuration(interval);
  return everyMs === undefined || everyMs === 0 ? undefined : [[...path, "interval"], intervalSchedule(everyMs)];
}
