import type { Path } from "../../config/problem.ts";
import { parseReference, type Reference } from "../../reference/reference.ts";
import { parseTag, type Tag } from "../../reference/repository.ts";
import { namesImage } from "../entry.ts";
import { compileExpression } from "../pattern.ts";
import type { ImageChoice, SyncEntry } from "../plan-input.ts";
import type { ReadEntry, Reading } from "../reading.ts";
import { everyTag } from "../tags.ts";

/** One side of a rule: a repository, and which of its images. */
interface Side {
  readonly reference: Reference;
  readonly images:
    | { readonly kind: "all" }
    | { readonly kind: "digest" }
    | { readonly kind: "matching"; readonly expression: string }
    | { readonly kind: "tags"; readonly tags: readonly Tag[] };
}

/** The entries of a rule: one, or one for each tag where the target names them. None when it cannot be, which is then among the findings. */
export function ruleEntries(reading: Reading, from: string, to: string, path: Path): readonly ReadEntry[] {
  const source = sideOf(reading, from, path);
  const target = sideOf(reading, to, path);
  if (source === undefined || target === undefined) return [];
  const pairs = pairsOf(source, target);
  if (typeof pairs === "string") {
    reading.findings.problem(path, pairs);
    return [];
  }
  const { host, repository } = source.reference;
  return pairs.map(({ images, tag }) => {
    const entry: SyncEntry = {
      at: reading.placeOf(path),
      source: { kind: "repository", host, repository },
      images,
      target: {
        host: target.reference.host,
        path: target.reference.repository,
        rest: "none",
        tag: tag === undefined ? undefined : [{ kind: "text", text: tag }],
      },
      platforms: { kind: "all" },
      referrers: false,
      digestTags: false,
      backup: undefined,
      delete: false,
      schedule: undefined,
    };
    return { entry, path, targetPath: path };
  });
}

/** A source's images, and the tag they get; the same one without it. */
interface Pair {
  readonly images: ImageChoice;
  readonly tag: Tag | undefined;
}

function pairsOf(source: Side, target: Side): readonly Pair[] | string {
  if (target.images.kind === "matching") return "has a regular expression in its target";
  const { tag, digest } = source.reference;
  const named = target.images.kind === "tags" ? target.images.tags : [];
  const isOther = target.images.kind === "digest" && target.reference.digest !== digest;
  if (isOther) return "has a digest in its target that is not the source's";
  switch (source.images.kind) {
    case "digest":
      return named.length > 1 ? differ : [{ images: { kind: "one", tag, digest }, tag: named[0] }];
    case "all":
    case "matching":
      return named.length > 0 ? differ : [{ images: choiceOf(source), tag: undefined }];
    case "tags": {
      const { tags } = source.images;
      if (named.length === 0)
        return [{ images: { kind: "tags", choice: { list: tags, filters: [] } }, tag: undefined }];
      if (named.length !== tags.length) return differ;
      return tags.map((own, index) => ({ images: { kind: "one", tag: own, digest: undefined }, tag: named[index] }));
    }
  }
}

const differ = "must have as many tags in its target as in its source, or none there";

function choiceOf({ images }: Side): ImageChoice {
  const match = images.kind === "matching" ? compileExpression(images.expression) : undefined;
  const matches = match === undefined || "reason" in match ? [] : [match];
  return { kind: "tags", choice: { list: [], filters: [{ ...everyTag, match: matches }] } };
}

function sideOf({ findings }: Reading, text: string, path: Path): Side | undefined {
  const slash = text.indexOf(":/");
  const expression = slash >= 0 && text.endsWith("/") ? text.slice(slash + 2, -1) : undefined;
  const [named = "", ...others] = (expression === undefined ? text : text.slice(0, slash)).split(",");
  const reference = parseReference(named);
  const tags = [
    ...("kind" in reference || reference.tag === undefined ? [] : [reference.tag]),
    ...others.map((other) => parseTag(other)),
  ];
  const match = expression === undefined ? undefined : compileExpression(expression);
  const refusal =
    "kind" in reference ? reference.reason : match !== undefined && "reason" in match ? match.reason : undefined;
  if ("kind" in reference || refusal !== undefined || tags.includes(undefined)) {
    findings.problem(path, `has "${text}", which is no image: ${refusal ?? "one of its tags is none"}`);
    return undefined;
  }
  if (expression !== undefined) return { reference, images: { kind: "matching", expression } };
  if (reference.digest !== undefined) return { reference, images: { kind: "digest" } };
  if (!namesImage(named)) return { reference, images: { kind: "all" } };
  return { reference, images: { kind: "tags", tags: tags.filter((tag) => tag !== undefined) } };
}
