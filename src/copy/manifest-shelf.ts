import type { Digest } from "../reference/digest.ts";
import type { Absent, ManifestBody, Unavailable } from "../registry/remote.ts";
import type { Asking } from "./asking.ts";
import type { ImageSource } from "./ends.ts";

const shelfMaxBytes = 64 * 1024 * 1024;

type Answered = ({ readonly kind: "found" } & ManifestBody) | Absent | Unavailable;

/** Manifests that were read in this run, so that planning and copying, and images with the same parts, read each once. Bounded. */
export class ManifestShelf {
  readonly #asking: Asking;
  readonly #held = new Map<Digest, ManifestBody>();
  readonly #running = new Map<string, Promise<Answered>>();
  #heldBytes = 0;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** A manifest by digest. */
  async get(source: ImageSource, digest: Digest): Promise<Answered> {
    const held = this.#held.get(digest);
    if (held !== undefined) return { kind: "found", ...held };
    const key = `${source.name}@${digest}`;
    const running = this.#running.get(key) ?? this.#fetch(source, digest).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return await running;
  }

  async #fetch(source: ImageSource, digest: Digest): Promise<Answered> {
    const answer = await this.#asking.ask(source, (limits) => source.getManifest(digest, limits));
    if (answer.kind === "found") this.put(answer);
    return answer;
  }

  /** Keeps what was read by a tag. */
  put({ bytes, digest, mediaType }: ManifestBody): void {
    if (this.#held.has(digest)) return;
    this.#held.set(digest, { bytes, digest, mediaType });
    this.#heldBytes += bytes.byteLength;
    for (const [oldest, body] of this.#held) {
      if (this.#heldBytes <= shelfMaxBytes) return;
      this.#held.delete(oldest);
      this.#heldBytes -= body.bytes.byteLength;
    }
  }
}
