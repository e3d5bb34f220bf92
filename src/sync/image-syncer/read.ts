import { z } from "zod";
import type { Findings, Path } from "../../config/problem.ts";
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
  const valid = readValid(
    isWhole ? reading : { findings: inside(reading.findings) },
    schema,
    isWhole ? value : { images: value },
    jsonSchema,
  );
  if (valid === undefined) return undefined;
  const { images, auth: logins } = valid.value;
  const base: Path = isWhole ? ["images"] : [];
  return {
    entries: Object.entries(images).flatMap(([source, targets]) => entriesOf(reading, source, targets, base)),
    keys: { from: "it", tags: "tags", platforms: "platforms", backup: "backup", delete: "delete" },
    registries: imageSyncerRegistries(reading, logins ?? {}),
    dockerConfig: true,
    parallel: undefined,
  };
}

function entriesOf(
  reading: Reading,
  source: string,
  targets: string | readonly string[],
  base: Path,
): readonly ReadEntry[] {
  const path = [...base, source];
  const from = expandVariables(reading, source, path);
  const list = typeof targets === "string" ? [targets] : targets;
  return list.flatMap((target, index): readonly ReadEntry[] => {
    const at: Path = typeof targets === "string" ? path : [...path, index];
    const to = expandVariables(reading, target, at);
    return from === undefined || to === undefined ? [] : ruleEntries(reading, from, to, at);
  });
}

/** What is said of `images.X`, said of `X`: there the rules are the whole file. */
function inside(findings: Findings): Findings {
  const placed = (path: Path): Path => path.slice(1);
  return {
    get problems() {
      return findings.problems;
    },
    get warnings() {
      return findings.warnings;
    },
    problem: (path, message, part) => findings.problem(placed(path), message, part),
    warning: (path, message) => findings.warning(placed(path), message),
  };
}
