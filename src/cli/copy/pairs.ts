import type { CopyPair } from "../../copy/pair.ts";
import { Failure } from "../../errors/failure.ts";
import type { SourcePlace, TargetPlace } from "./place.ts";
import type { CopySession } from "./session.ts";

/** What was typed: an image and where it goes, or all tags of a repository. */
export interface PairWords {
  readonly from: string;
  readonly to: string;
  readonly allTags: boolean;
}

/** The images that are meant. Throws a `Failure` for what is typed wrongly or has no tags to be listed. */
export async function pairsOf(session: CopySession, { from, to, allTags }: PairWords): Promise<readonly CopyPair[]> {
  const source = await session.places.source(from);
  const target = await session.places.target(to, source);
  return allTags ? await everyTag(session, source, target) : [onePair(source, target)];
}

/** Without a tag of its own the target has the source's. */
function onePair({ source, reference, tag }: SourcePlace, target: TargetPlace): CopyPair {
  return { source, sourceReference: reference, target: target.target, targetTag: target.tag ?? tag };
}

async function everyTag(
  { parts }: CopySession,
  { source }: SourcePlace,
  place: TargetPlace,
): Promise<readonly CopyPair[]> {
  if (place.tag !== undefined) throw new Failure({ code: "USAGE", message: "with --all-tags the target has no tag" });
  const answer = await parts.asking.ask(source, (limits) => source.listTags(limits));
  switch (answer.kind) {
    case "absent":
      throw new Failure({ code: "NAME_UNKNOWN", message: `${source.name} is not there` });
    case "unavailable":
      throw new Failure({ code: "UPSTREAM_FAILED", message: answer.message });
    case "found":
      return answer.tags.map((tag) => ({ source, sourceReference: tag, target: place.target, targetTag: tag }));
  }
}
