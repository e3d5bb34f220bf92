import type { CopyPair } from "../../copy/pair.ts";
import { asFailure, type FailureCode } from "../../errors/failure.ts";
import { formatRepositoryName, type RepositoryName } from "../../layout/image-name.ts";
import { isSignatureTag } from "../../manifest/referrer-tags.ts";
import type { Tag } from "../../reference/repository.ts";
import { exitStatus } from "../exit.ts";
import { type SourcePlace, type TargetPlace, usage } from "./place.ts";
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
  if (words.allTags) return await everyRepository(session, words);
  const source = await session.places.source(words.from);
  return [onePair(source, await session.places.target(words.to, source))];
}

/** What a plan needs; else the status of one without rows, whose source as a whole is missing or gives no word. */
export async function pairsToPlan(session: CopySession, words: PairWords): Promise<readonly CopyPair[] | number> {
  try {
    return await pairsOf(session, words);
  } catch (error) {
    const failure = asFailure(error, "STORAGE_FAILED", "cannot go on");
    const status = withoutSource.get(failure.code);
    if (status === undefined) throw failure;
    session.view.note(failure.message);
    return status;
  }
}

const withoutSource: ReadonlyMap<FailureCode, number> = new Map([
  ["MANIFEST_UNKNOWN", exitStatus.replacement],
  ["NAME_UNKNOWN", exitStatus.replacement],
  ["UPSTREAM_FAILED", exitStatus.incomplete],
]);

/** Without a tag of its own the target has the source's. */
function onePair({ source, reference, tag }: SourcePlace, target: TargetPlace): CopyPair {
  return { source, sourceReference: reference, target: target.target, targetTag: target.tag ?? tag };
}

/** Folders and archives may have several repositories, which stay apart. */
async function everyRepository(session: CopySession, words: PairWords): Promise<readonly CopyPair[]> {
  const repositories = await session.places.repositories(words.from);
  const ends = await Promise.all(
    repositories.map(async ({ source, within }) => ({
      source,
      from: within,
      place: await session.places.target(words.to, { within }),
    })),
  );
  if (ends.some(({ place }) => place.tag !== undefined)) throw usage("with --all-tags the target has no tag");
  refuseMixed(words, ends);
  const pairs = ends.map(({ source, place }) => everyTag(session, words, { source, target: place.target }));
  return (await Promise.all(pairs)).flat();
}

interface Ends {
  readonly from: RepositoryName | undefined;
  readonly place: TargetPlace;
}

/** Images of several repositories that would come together in one: none is written. */
function refuseMixed(words: PairWords, ends: readonly Ends[]): void {
  const byTarget = Map.groupBy(ends, ({ place }) => place.within && formatRepositoryName(place.within));
  for (const [target, mixed] of byTarget) {
    if (mixed.length === 1) continue;
    const names = mixed.flatMap(({ from }) => (from === undefined ? [] : formatRepositoryName(from))).join(", ");
    if (words.to.endsWith("/**")) {
      throw usage(`of ${words.from} several would be ${target}: ${names}; write one of them behind the path`);
    }
    const below = mixed.some(({ place }) => place.target.place !== undefined)
      ? `, or '${words.to}/**' for a target, to put each below it`
      : "";
    throw usage(`${words.from} has several repositories: ${names}; write one of them behind the path${below}`);
  }
}

async function everyTag(
  { parts }: CopySession,
  { referrers }: PairWords,
  { source, target }: Pick<CopyPair, "source" | "target">,
): Promise<readonly CopyPair[]> {
  const { tags } = found(await parts.asking.ask(source, (limits) => source.listTags(limits)), source.name);
  return tags
    .filter((tag) => isMeant(tag, referrers))
    .map((tag) => ({ source, sourceReference: tag, target, targetTag: tag }));
}

/** A list of referrers is not copied over another one: its entries come with the images that they refer to. */
function isMeant(tag: Tag, referrers: boolean): boolean {
  return !isSignatureTag(tag) || (referrers && tag.includes("."));
}
