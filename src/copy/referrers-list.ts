import { addReferrer } from "../manifest/referrers-index.ts";
import { mediaTypes } from "../manifest/media-types.ts";
import { referrersTag } from "../manifest/referrer-tags.ts";
import { type Digest, digestFrom } from "../reference/digest.ts";
import type { ManifestBody } from "../registry/remote.ts";
import type { Asking } from "./asking.ts";
import type { ImageTarget } from "./ends.ts";

/**
 * The referrers lists of targets that keep none themselves: an index under a tag of the subject. OCI distribution spec v1.1, "Pushing
 * Manifests with Subject". One change of a list at a time; that of another program at the same time may be lost.
 */
export class ReferrersLists {
  readonly #asking: Asking;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** Adds a referrer to the list of its subject. What went wrong, or nothing. */
  async add(target: ImageTarget, subject: Digest, referrer: ManifestBody): Promise<string | undefined> {
    const key = `${target.name}@${subject}`;
    const added = (this.#last.get(key) ?? Promise.resolve()).then(() => this.#add(target, subject, referrer));
    this.#last.set(
      key,
      added.catch(() => undefined),
    );
    return await added;
  }

  async #add(target: ImageTarget, subject: Digest, referrer: ManifestBody): Promise<string | undefined> {
    const tag = referrersTag(subject);
    const held = await this.#asking.ask(target, (limits) => target.getManifest(tag, limits));
    if (held.kind === "unavailable") return held.message;
    const added = addReferrer(held.kind === "found" ? held.bytes : undefined, referrer);
    switch (added.kind) {
      case "listed":
        return undefined;
      case "refused":
        return `${target.name}:${tag}: ${added.reason}`;
      case "added":
        break;
    }
    const { bytes } = added;
    const digest = digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
    const index = { bytes, digest, mediaType: mediaTypes.ociIndex };
    const put = await this.#asking.ask(target, (limits) => target.putManifest(tag, index, limits));
    return put.kind === "unavailable" ? put.message : undefined;
  }
}
