import { z } from "zod";
import type { Path } from "../../config/problem.ts";
import { isMapping } from "../format.ts";
import { type Read, type ReadEntry, type Reading, readValid } from "../reading.ts";
import { imageSyncerRegistries, type SyncerAuth } from "./auth.ts";
import { ruleEntries } from "./rules.ts";
import { expandVariables } from "./variables.ts";

/** image-syncer's rules by source, and its logins where they are in the same file. */
interface SyncerFile {
  readonly auth?: Readonly<Record<string, SyncerAuth>> | null | undefined;
  readonly images: Readonly<Record<string, string | readonly string[]>>;
}

const text = z.string({ error: "must be a text" });
const auth = z.strictObject({
  username: text.optional(),
  password: text.optional(),
  insecure: z.boolean({ error: "must be true or false" }).optional(),
});
const destination = z.union([text, z.array(text).min(1, { error: "must name an image" })], {
  error: "must be an image or a list of images",
});

const schema: z.ZodType<SyncerFile> = z.strictObject({
  auth: z.record(z.string(), auth).nullish(),
  images: z.record(z.string(), destination),
});

function jsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(schema, { io: "input" }) };
}

/** Reads image-syncer's file of images, as it is, or its older one that has the logins too. */
export function readImageSyncer(reading: Reading, value: unknown): Read | undefined {
  const isWhole = isMapping(value) && isMapping(value["images"]);
  const found = isWhole ? reading : nested(reading);
  const valid = readValid(found, schema, isWhole ? value : { images: value }, jsonSchema);
  if (valid === undefined) return undefined;
  const file = valid.value;
  return {
    entries: Object.entries(file.images).flatMap(([source, targets]) => {
      return entriesOf(found, source, typeof targets === "string" ? [targets] : targets);
    }),
    keys: { from: "it", to: "target", tags: "tags", platforms: "platforms", backup: "backup", delete: "delete" },
    registries: imageSyncerRegistries(found, file.auth ?? {}),
    dockerConfig: true,
    parallel: undefined,
  };
}

function entriesOf(reading: Reading, source: string, targets: readonly string[]): readonly ReadEntry[] {
  const path = ["images", source];
  const from = expandVariables(reading, source, path);
  return targets.flatMap((target, index): readonly ReadEntry[] => {
    const at: Path = targets.length === 1 ? path : [...path, index];
    const to = expandVariables(reading, target, at);
    return from === undefined || to === undefined ? [] : ruleEntries(reading, from, to, at);
  });
}

/** What is said of `images.X`, said of `X`: there the rules are the whole file. */
function nested(reading: Reading): Reading {
  const placed = (path: Path): Path => (path[0] === "images" ? path.slice(1) : path);
  return {
    ...reading,
    findings: {
      get problems() {
        return reading.findings.problems;
      },
      get warnings() {
        return reading.findings.warnings;
      },
      problem: (path, message, part) => reading.findings.problem(placed(path), message, part),
      warning: (path, message) => reading.findings.warning(placed(path), message),
    },
    placeOf: (path) => reading.placeOf(placed(path)),
  };
}
