import { cosignTags } from "../manifest/referrer-tags.ts";
import type { Digest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { Answer, ManifestBody } from "../registry/remote.ts";
import type { SourceTags } from "./source-tags.ts";
import { type ImageTree, type Reading, readTree } from "./tree.ts";

/** Something that refers to a manifest: by a tag that cosign would look for, or by its subject. */
export interface Referrer {
  readonly tree: ImageTree;
  readonly tag: Tag | undefined;
}

/** What refers to an image, and why some of it may be missing. */
export interface Referrers {
  readonly referrers: readonly Referrer[];
  readonly problems: readonly string[];
}

/** Who pushes may attach without end. */
const referrersMax = 200;
const depthMax = 3;
const subjectsAtOnce = 4;

/**
 * Signatures, attestations and SBOMs of the manifests of an image, and what refers to these: by cosign's tags, and by the referrers
 * list. Each once. What cannot be read is a problem and stops nothing else.
 */
export async function referrersOf(reading: Reading, tags: SourceTags, trees: readonly ImageTree[]): Promise<Referrers> {
  const search = new Search(reading, tags, trees);
  let subjects = trees.flatMap(subjectsOf);
  for (let depth = 0; depth < depthMax && subjects.length > 0; depth++) {
    const found = await search.below(subjects);
    subjects = found.flatMap(({ tree }) => subjectsOf(tree));
  }
  return search.result();
}

function subjectsOf({ nodes }: ImageTree): readonly Digest[] {
  return [...nodes].filter(([, { isAttestation }]) => !isAttestation).map(([digest]) => digest);
}

/** How a referrer is found. */
type Name = { readonly tag: Tag; readonly digest: undefined } | { readonly tag: undefined; readonly digest: Digest };

class Search {
  readonly #reading: Reading;
  readonly #tags: SourceTags;
  readonly #seen: Set<Digest | Tag>;
  readonly #referrers: Referrer[] = [];
  readonly #problems = new Set<string>();

  constructor(reading: Reading, tags: SourceTags, trees: readonly ImageTree[]) {
    this.#reading = reading;
    this.#tags = tags;
    this.#seen = new Set(trees.flatMap(({ nodes }) => [...nodes.keys()]));
  }

  result(): Referrers {
    return { referrers: this.#referrers, problems: [...this.#problems] };
  }

  /** What refers to any of these, in their order. */
  async below(subjects: readonly Digest[]): Promise<readonly Referrer[]> {
    const start = this.#referrers.length;
    for (let at = 0; at < subjects.length; at += subjectsAtOnce) {
      const batch = subjects.slice(at, at + subjectsAtOnce);
      const named = await Promise.all(batch.map((digest) => this.#namesOf(digest)));
      const fresh = named.flat().filter((name) => this.#isNew(name));
      await Promise.all(fresh.map((name) => this.#read(name)));
      if (this.#referrers.length >= referrersMax) {
        this.#problems.add(`it has more than ${referrersMax} referrers: the rest is left out`);
        return [];
      }
    }
    return this.#referrers.slice(start);
  }

  #isNew(name: Name): boolean {
    const key = name.tag ?? name.digest;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  async #namesOf(subject: Digest): Promise<readonly Name[]> {
    const { asking, source } = this.#reading;
    const known = await this.#tags.of(source);
    const tags = cosignTags(subject).filter((tag) => known === undefined || known.has(tag));
    const names: Name[] = tags.map((tag) => ({ tag, digest: undefined }));
    const answer = await asking.ask(source, (limits) => source.listReferrers(subject, limits, known));
    if (answer.kind === "found") names.push(...answer.referrers.map(({ digest }) => ({ tag: undefined, digest })));
    if (answer.kind === "unavailable") this.#problems.add(`its referrers could not be listed: ${answer.message}`);
    return names;
  }

  async #read(name: Name): Promise<void> {
    const answer = await this.#manifest(name);
    if (answer.kind === "found") return this.#add(answer, name.tag);
    if (answer.kind === "unavailable") this.#problems.add(`a referrer could not be read: ${answer.message}`);
    else if (name.digest !== undefined) this.#problems.add(`its referrer ${name.digest} is listed and not there`);
  }

  #manifest({ tag, digest }: Name): Promise<Answer<ManifestBody>> {
    const { asking, shelf, source } = this.#reading;
    if (tag === undefined) return shelf.get(source, digest);
    return asking.ask(source, (limits) => source.getManifest(tag, limits));
  }

  async #add(body: ManifestBody, tag: Tag | undefined): Promise<void> {
    const tree = await readTree(this.#reading, body);
    if (tree.kind === "tree") this.#referrers.push({ tree, tag });
    else this.#problems.add(`a referrer could not be read: ${tree.failure.message}`);
  }
}
