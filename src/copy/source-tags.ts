import type { Tag } from "../reference/repository.ts";
import type { Answer } from "../registry/remote.ts";
import type { Asking } from "./asking.ts";
import type { ImageSource } from "./ends.ts";

type TagList = Answer<{ readonly tags: readonly Tag[] }>;

/** The tags of each source, asked for once in a run: one list says of all images which signatures there are. */
export class SourceTags {
  readonly #asking: Asking;
  readonly #lists = new Map<ImageSource, Promise<TagList>>();
  readonly #sets = new Map<ImageSource, Promise<ReadonlySet<Tag> | undefined>>();

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** `undefined` when the source gives no list: then nothing is known of any tag. */
  of(source: ImageSource): Promise<ReadonlySet<Tag> | undefined> {
    const known = this.#sets.get(source) ?? this.list(source).then(setOf);
    this.#sets.set(source, known);
    return known;
  }

  /** Every tag of a source, or why there is no list. */
  list(source: ImageSource): Promise<TagList> {
    const asked = this.#lists.get(source) ?? this.#asking.ask(source, (limits) => source.listTags(limits));
    this.#lists.set(source, asked);
    return asked;
  }
}

function setOf(answer: TagList): ReadonlySet<Tag> | undefined {
  if (answer.kind === "unavailable") return undefined;
  return new Set(answer.kind === "absent" ? [] : answer.tags);
}
