import { z } from "zod";
import * as scalar from "../../config/scalars.ts";
import type { Shape } from "../../config/upstream-schema.ts";
import { parsePlatform } from "../../reference/platform.ts";
import { compileAnchored } from "../pattern.ts";
import { nonEmpty, readable } from "../readable.ts";
import type {
  AllowDeny,
  CredsText,
  RegsyncDefaults,
  RegsyncEntry,
  RegsyncFile,
  RegsyncShared,
  RegsyncTags,
} from "./file.ts";
import { parseGoDuration } from "./go-duration.ts";
import { parseRegsyncRange } from "./range.ts";
import { parseRegsyncSchedule } from "./schedule.ts";

const text = z.string({ error: (issue) => (issue.input === undefined ? "is missing" : "must be a text") });
const count = readable((written) => (/^[0-9]{1,6}$/.test(written) ? written : undefined), "a whole number");
const rate = readable((written) => (/^[0-9]{1,6}(\.[0-9]{1,6})?$/.test(written) ? written : undefined), "a number");
const duration = readable(parseGoDuration, "a duration such as 60m or 1h30m");
const platform = readable(parsePlatform, "os/architecture[/variant] such as linux/amd64");
const expressions = z.array(readable(compileAnchored, "a regular expression")).nullish();
/** An empty one is none, as with any text of a Go program. */
const parseSchedule = (written: string): unknown => (written === "" ? written : parseRegsyncSchedule(written));
const ranges = z.array(readable(parseRegsyncRange, "a range of versions"));

const creds = z.strictObject({
  registry: nonEmpty("a registry's host such as registry.example:5000"),
  hostname: text.optional(),
  user: text.optional(),
  pass: text.optional(),
  tls: z.enum(["enabled", "insecure", "disabled", ""]).optional(),
  regcert: text.optional(),
  credHelper: text.optional(),
  pathPrefix: text.optional(),
  reqPerSec: rate.optional(),
  reqConcurrent: count.optional(),
  scheme: text.optional(),
} satisfies Shape<CredsText>);

const shared = {
  backup: text.optional(),
  interval: duration.optional(),
  schedule: readable(parseSchedule, "five fields of cron").optional(),
  digestTags: scalar.flag.optional(),
  referrers: scalar.flag.optional(),
} satisfies Shape<RegsyncShared>;

const defaults = z.strictObject({
  ...shared,
  parallel: count.optional(),
  skipDockerConfig: scalar.flag.optional(),
} satisfies Shape<RegsyncDefaults>);

const tags = z.strictObject({
  allow: expressions,
  deny: expressions,
  semverRange: ranges.nullish(),
} satisfies Shape<RegsyncTags>);

const entry = z.strictObject({
  ...shared,
  source: nonEmpty("an image, a repository or a registry"),
  target: nonEmpty("an image, a repository or a registry"),
  type: z.enum(["image", "repository", "registry"]),
  tags: tags.nullish(),
  tagSets: z.array(tags).nullish(),
  repos: z.strictObject({ allow: expressions, deny: expressions } satisfies Shape<AllowDeny>).nullish(),
  platform: platform.optional(),
  platforms: z.array(platform).nullish(),
} satisfies Shape<RegsyncEntry>);

/** The schema of a regsync file, without the keys that mean nothing here. */
export const regsyncSchema: z.ZodType<RegsyncFile> = z.strictObject({
  version: readable((written) => (written === "1" ? written : undefined), "1").optional(),
  creds: z.array(creds).nullish(),
  defaults: defaults.nullish(),
  sync: z.array(entry).nullish(),
} satisfies Shape<RegsyncFile>);

/** The same as JSON Schema, for the names of keys. */
export function regsyncJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(regsyncSchema, { io: "input" }) };
}
