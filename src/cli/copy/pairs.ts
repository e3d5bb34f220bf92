import type { CopyPair } from "../../copy/pair.ts";
import { Failure } from "../../errors/failure.ts";
import { isSignatureTag } from "../../manifest/referrer-tags.ts";
import type { Tag } from "../../reference/repository.ts";
import type { SourcePlace, TargetPlace } from "./place.ts";
import { found } from "./reading.ts";
import type { CopySession } from "./session.ts";

/** What was typed: an image and where it goes, or all tags of a repository. */
export interface PairWords {
  readonly from: string;
  readonly to: string;
  readonly allTags: boolean;
  /** Whether what refers to images is meant too. */
  readonly referrers: boolean;
}

/** The images that are meant. Throws a `Failure` for what is typed wrongly or has no tags to be listed. */
export async function pairsOf(session: CopySession, words: PairWords): Promise<readonly CopyPair[]> {
  const source = await session.places.source(words.from);
  const target = await session.places.target(words.to, source);
  return words.allTags ? await everyTag(session, words, { source, target }) : [onePair(source, target)];
}

/** Without a tag of its own the target has the source's. */
function onePair({ source, reference, tag }: SourcePlace, target: TargetPlace): CopyPair {
  return { source, sourceReference: reference, target: target.target, targetTag: target.tag ?? tag };
}

async function everyTag(
  { parts }: CopySession,
  { referrers }: PairWords,
  { source: { source }, target: place }: { readonly source: SourcePlace; readonly target: TargetPlace },
): Promise<readonly CopyPair[]> {
  if (place.tag !== undefined) throw new Failure({ code: "USAGE", message: "with --all-tags the target has no tag" });
  const { tags } = found(await parts.asking.ask(source, (limits) => source.listTags(limits)), source.name);
  const { target } = place;
  return tags
    .filter((tag) => isMeant(tag, referrers))
    .map((tag) => ({ source, sourceReference: tag, target, targetTag: tag }));
}

/** A list of referrers is not copied over another one: its entries come with the images that they refer to. */
function isMeant(tag: Tag, referrers: boolean): boolean {
  return !isSignatureTag(tag) || (referrers && tag.includes("."));
}
