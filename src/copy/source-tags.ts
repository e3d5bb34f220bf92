import type { Tag } from "../reference/repository.ts";
import type { Asking } from "./asking.ts";
import type { ImageSource } from "./ends.ts";

/** The tags of each source, asked for once in a run: one list says of all images which signatures there are. */
export class SourceTags {
  readonly #asking: Asking;
  readonly #lists = new Map<ImageSource, Promise<ReadonlySet<Tag> | undefined>>();

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** `undefined` when the source gives no list: then nothing is known of any tag. */
  of(source: ImageSource): Promise<ReadonlySet<Tag> | undefined> {
    const asked = this.#lists.get(source) ?? this.#ask(source);
    this.#lists.set(source, asked);
    return asked;
  }

  async #ask(source: ImageSource): Promise<ReadonlySet<Tag> | undefined> {
    const answer = await this.#asking.ask(source, (limits) => source.listTags(limits));
    if (answer.kind === "unavailable") return undefined;
    return new Set(answer.kind === "absent" ? [] : answer.tags);
  }
}
