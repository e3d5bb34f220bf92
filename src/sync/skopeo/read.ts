import type { Path } from "../../config/problem.ts";
import { parseDigest } from "../../reference/digest.ts";
import { parseReference, type Reference } from "../../reference/reference.ts";
import { parseTag, type Tag } from "../../reference/repository.ts";
import { compileExpression } from "../pattern.ts";
import type { ImageChoice } from "../plan-input.ts";
import { parseRange } from "../range.ts";
import { type Read, type ReadEntry, type Reading, readValid } from "../reading.ts";
import { everyTag, type TagFilter } from "../tags.ts";
import { skopeoRegistries } from "./registries.ts";
import { type SkopeoRegistry, skopeoJsonSchema, skopeoSchema } from "./schema.ts";
import { skopeoTarget } from "./target.ts";

/** Reads what `skopeo sync --src yaml` reads, as it is. Where images go is said on the command line. */
export function readSkopeo(reading: Reading, value: unknown): Read | undefined {
  const valid = readValid(reading, skopeoSchema, value, skopeoJsonSchema);
  if (valid === undefined) return undefined;
  const file = valid.value;
  const registries = Object.entries(file);
  const entries = registries.flatMap(([name, registry]) => entriesOf(reading, name, registry ?? {}));
  warnOfDifferences(reading, entries);
  return {
    entries,
    keys: { from: "it", tags: "tags", platforms: "platforms", backup: "backup", delete: "delete" },
    registries: registries.flatMap(([name, registry]) => skopeoRegistries(reading, name, registry ?? {})),
    dockerConfig: true,
    parallel: undefined,
  };
}

function entriesOf(reading: Reading, name: string, registry: SkopeoRegistry): readonly ReadEntry[] {
  const entries: ReadEntry[] = [];
  const add = (path: Path, image: string, choices: readonly ImageChoice[]): void => {
    const reference = repositoryOf(reading, `${name}/${image}`, path);
    const target = reference === undefined ? undefined : skopeoTarget(reading, reference.host);
    if (reference === undefined || target === undefined) return;
    const { host, repository } = reference;
    for (const images of choices) {
      entries.push({
        path,
        targetPath: ["--dest"],
        entry: {
          ...plain,
          at: reading.placeOf(path),
          source: { kind: "repository", host, repository },
          target,
          images,
        },
      });
    }
  };
  for (const [image, refs] of Object.entries(registry.images ?? {})) {
    const path = [name, "images", image];
    add(path, image, choicesOf(reading, refs ?? [], path));
  }
  for (const [image, text] of Object.entries(registry["images-by-tag-regex"] ?? {})) {
    const match = compileExpression(text);
    if (!("reason" in match))
      add([name, "images-by-tag-regex", image], image, [filtered({ ...everyTag, match: [match] })]);
  }
  for (const [image, text] of Object.entries(registry["images-by-semver"] ?? {})) {
    const range = parseRange(text);
    if (!("reason" in range))
      add([name, "images-by-semver", image], image, [filtered({ ...everyTag, ranges: [range] })]);
  }
  if (entries.length === 0) reading.findings.warning([name], "names no images: nothing is copied from it");
  return entries;
}

const plain = {
  platforms: { kind: "all" },
  referrers: false,
  digestTags: false,
  backup: undefined,
  delete: false,
  schedule: undefined,
} as const;

function filtered(filter: TagFilter): ImageChoice {
  return { kind: "tags", choice: { list: [], filters: [filter] } };
}

function repositoryOf({ findings }: Reading, text: string, path: Path): Reference | undefined {
  const reference = parseReference(text);
  const last = text.slice(text.lastIndexOf("/"));
  if (!("kind" in reference) && !/[:@]/.test(last)) return reference;
  const reason = "kind" in reference ? reference.reason : "tags and digests go into its list";
  findings.problem(path, `is no repository: ${reason}`, "key");
  return undefined;
}

/** Every digest is an image of its own; tags are chosen together, all of them where there is neither. */
function choicesOf({ findings }: Reading, refs: readonly string[], path: Path): readonly ImageChoice[] {
  if (refs.length === 0) return [filtered(everyTag)];
  const tags: Tag[] = [];
  const images: ImageChoice[] = [];
  for (const [index, ref] of refs.entries()) {
    const digest = parseDigest(ref);
    const tag = parseTag(ref);
    if (digest !== undefined) images.push({ kind: "one", tag: undefined, digest });
    else if (tag !== undefined) tags.push(tag);
    else findings.problem([...path, index], "is neither a tag nor a digest");
  }
  return tags.length === 0 ? images : [{ kind: "tags", choice: { list: tags, filters: [] } }, ...images];
}

/** Where this differs from what skopeo does with the same file. */
function warnOfDifferences({ findings, destination }: Reading, entries: readonly ReadEntry[]): void {
  if (entries.length === 0) return;
  findings.warning([], "every platform of an image is copied, as by skopeo with --all");
  const isWhole = destination.scoped !== true && destination.flatten !== true;
  const deep = entries.filter(
    ({ entry }) => entry.source.kind === "repository" && entry.source.repository.includes("/"),
  );
  const [first] = deep.flatMap(({ entry }) => (entry.source.kind === "repository" ? [entry.source.repository] : []));
  if (!isWhole || first === undefined) return;
  const dest = destination.dest?.replace(/\/+$/, "");
  const last = first.slice(first.lastIndexOf("/") + 1);
  findings.warning(
    [],
    `repositories keep their whole path: ${first} goes to ${dest}/${first}, where skopeo puts it at ${dest}/${last}; say --flatten for that`,
  );
}
