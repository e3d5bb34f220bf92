import { z } from "zod";
import * as scalar from "../config/scalars.ts";
import { about, type Shape, upstreamShape } from "../config/upstream-schema.ts";
import { parsePlatform } from "../reference/platform.ts";
import { parseRepository, parseTag } from "../reference/repository.ts";
import type { DefaultsEntry, EntryText, RegistryEntry, RepositoriesEntry, SyncFile, TagsEntry } from "./file.ts";
import { compileExpression, compileGlob } from "./pattern.ts";
import { parseRange } from "./range.ts";
import { nonEmpty, readable } from "./readable.ts";
import { parseSchedule } from "./schedule.ts";
import { parseTemplate } from "./template.ts";

const expression = readable(compileExpression, "a regular expression");
const expressions = z.union([expression, z.array(expression)], {
  error: "must be a regular expression or a list of them",
});
const globs = z.array(readable(compileGlob, "a glob such as *-rc*"));
const tag = readable(parseTag, "a tag: letters, digits, dots, dashes and underscores");
const repository = readable(parseRepository, "a repository without its host, such as kubernetes/pause");
const platform = readable(parsePlatform, "os/architecture[/variant] such as linux/amd64");
const schedule = readable(parseSchedule, 'an interval such as 15m or five fields of cron such as "15 1 * * *"');
const place = nonEmpty("an image, a repository or a registry's host");

const { cloud: _cloud, region: _region, public: _public, ...registryShape } = upstreamShape;
const registry = z.strictObject(registryShape satisfies Shape<RegistryEntry>);

const defaultsShape = {
  platforms: about(z.array(platform), "Only these of an image's platforms, in a new index; all without it.").optional(),
  platform: about(platform, "The manifest of this platform, without its index.").optional(),
  referrers: about(scalar.flag, "True: signatures and all else that refers to an image is copied too.").optional(),
  backup: about(
    readable(parseTemplate, "a tag such as {tag}-before-{date}"),
    "Where what a tag names is kept before the tag is moved: a tag, or a whole reference.",
  ).optional(),
  delete: about(scalar.flag, "True: tags at the target that the source lacks are deleted.").optional(),
  flatten: about(scalar.flag, "True: ** in `to` is the last segment of the repository only.").optional(),
} satisfies Shape<DefaultsEntry>;

const repositories = z.strictObject({
  list: about(z.array(repository), "Repositories by name; no list of the registry's is needed for them.").optional(),
  match: about(expressions, "Regular expressions (RE2) of which one must match.").optional(),
  skip: about(globs, "Globs of which none may match: * is any run but a slash, ** any run.").optional(),
} satisfies Shape<RepositoriesEntry>);

const tags = z.strictObject({
  list: about(z.array(tag), "Tags by name, whatever the other keys say.").optional(),
  skip: about(globs, "Globs of which none may match.").optional(),
  match: about(expressions, "Regular expressions (RE2) of which one must match.").optional(),
  semver: about(readable(parseRange, "a range of versions"), "The range that the tag is a version in.").optional(),
  newest: about(scalar.count(10_000), "Of what is left, so many of the highest versions.").optional(),
} satisfies Shape<TagsEntry>);

const entry = z.strictObject({
  from: about(place, "A repository, an image with tag or digest, or a registry's host."),
  to: about(place, "HOST/REPOSITORY, or HOST/PATH/** where ** is the source's repository."),
  repositories: about(repositories, "Which repositories of the registry; all without it.").optional(),
  tags: about(tags, "Which tags; all without it.").optional(),
  schedule: about(schedule, "When this one is copied again.").optional(),
  ...defaultsShape,
} satisfies Shape<EntryText>);

/** The one schema of our own sync file. It checks one value at a time; what several values say together is checked by `readSyncFile`. */
export const syncSchema: z.ZodType<SyncFile> = z
  .strictObject({
    registries: about(z.record(scalar.registryHost, registry), "How registries are reached, by host.").optional(),
    defaults: about(z.strictObject(defaultsShape), "What entries may leave out.").optional(),
    sync: about(z.array(entry), "What is copied from where to where."),
    schedule: about(schedule, "When everything is copied again; only when asked without it.").optional(),
    parallel: about(scalar.count(256), "Images that are copied at once.").optional(),
    dockerConfig: about(scalar.flag, "False: docker's logins are not used.").optional(),
    createRepositories: about(
      scalar.flag,
      "True: repositories of Amazon ECR are created before they are pushed to.",
    ).optional(),
  } satisfies Shape<SyncFile>)
  .meta({ title: "Periplus sync file" });

/** The JSON Schema (draft 2020-12) of the file, for editors and for checks elsewhere. */
export function syncJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(syncSchema, { io: "input", target: "draft-2020-12" }) };
}
