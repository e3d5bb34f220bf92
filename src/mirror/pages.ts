import { mediaTypes } from "../manifest/media-types.ts";
import { parseManifest } from "../manifest/manifest.ts";
import { referrersTag } from "../manifest/referrer-tags.ts";
import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Absent, Answer, CallLimits, Page, RemoteRegistry, Unavailable } from "../registry/remote.ts";
import type { PageRow } from "../store/content-index.ts";
import { answerLimits, inTime, type Origin, type Pull, placeKey, waits } from "./pull.ts";
import { SingleFlight } from "./single-flight.ts";
import type { ManifestMirror } from "./manifests.ts";
import type { PullIndex } from "./tolerant-index.ts";

/** What lists are mirrored with. */
export interface PageParts {
  readonly index: PullIndex;
  readonly manifests: ManifestMirror;
  readonly registryOf: (host: RegistryHost) => RemoteRegistry;
  readonly nowMs: () => number;
  readonly after: (ms: number) => Promise<undefined>;
}

/** A page to send: the upstream's bytes, new or held. */
interface FoundPage {
  readonly kind: "found";
  readonly page: PageRow;
  readonly origin: Origin;
  readonly ageMs: number;
  readonly warning: string | undefined;
}

/** The answer to a request for a list. */
export type PageOutcome = FoundPage | Absent | Unavailable;

/** Lists of tags and of referrers. They change at any time, so the upstream is asked each time; what is held is for when it gives no word. */
export class PageMirror {
  readonly #parts: PageParts;
  readonly #fetches = new SingleFlight<Answer<{ readonly page: PageRow }>>();

  constructor(parts: PageParts) {
    this.#parts = parts;
  }

  tags(pull: Pull, query: string): Promise<PageOutcome> {
    const registry = this.#parts.registryOf(pull.place.upstream);
    return this.#page(pull, `tags?${query}`, (limits) => registry.listTags(pull.place.repository, query, limits));
  }

  /** Referrers by the API or, where the upstream has none, by the tag scheme. OCI distribution spec v1.1, "Listing Referrers". */
  referrers(pull: Pull, digest: Digest, query: string): Promise<PageOutcome> {
    const { registryOf, nowMs, after } = this.#parts;
    const registry = registryOf(pull.place.upstream);
    return this.#page(pull, `referrers/${digest}?${query}`, async (limits) => {
      const askedAtMs = nowMs();
      const answer = await registry.listReferrers(pull.place.repository, digest, query, limits);
      if (answer.kind !== "absent") return answer;
      const leftMs = waits.answerMs - (nowMs() - askedAtMs);
      return inTime(pull, this.#byTagScheme(pull, digest), after(leftMs));
    });
  }

  async #page(pull: Pull, key: string, ask: (limits: CallLimits) => Promise<Answer<Page>>): Promise<PageOutcome> {
    const { index, nowMs, after } = this.#parts;
    const held = await index.page(pull.place, key);
    const fetching = this.#fetch(pull, key, ask);
    const answer = held === undefined ? await fetching : await Promise.race([fetching, after(waits.freshnessMs)]);
    if (answer?.kind === "found")
      return { kind: "found", page: answer.page, origin: "miss", ageMs: 0, warning: undefined };
    if (answer?.kind === "absent") return answer;
    const ageMs = nowMs() - (held?.checkedAtMs ?? 0);
    if (held !== undefined && ageMs < pull.rule.freshForMs + pull.rule.serveStaleForMs) {
      const reason = answer?.message ?? `${pull.place.upstream} did not answer within ${waits.freshnessMs} ms`;
      return { kind: "found", page: held, origin: "stale", ageMs, warning: `stale: ${reason}` };
    }
    const late = await fetching;
    return late.kind === "found"
      ? { kind: "found", page: late.page, origin: "miss", ageMs: 0, warning: undefined }
      : late;
  }

  #fetch(
    pull: Pull,
    key: string,
    ask: (limits: CallLimits) => Promise<Answer<Page>>,
  ): Promise<Answer<{ readonly page: PageRow }>> {
    return this.#fetches.run(placeKey(pull.place, key), async () => {
      const answer = await ask(answerLimits());
      if (answer.kind !== "found") return answer;
      const { bytes, mediaType, nextQuery, filtersApplied } = answer;
      const page = { bytes, mediaType, nextQuery, filtersApplied, checkedAtMs: this.#parts.nowMs() };
      await this.#parts.index.putPage(pull.place, key, page);
      return { kind: "found", page };
    });
  }

  /** The index under the tag that stands for the digest; an empty one when there is none. */
  async #byTagScheme(pull: Pull, digest: Digest): Promise<Answer<Page>> {
    const outcome = await this.#parts.manifests.byTag(pull, referrersTag(digest));
    if (outcome.kind === "unavailable") return outcome;
    if (outcome.kind === "found" && parseManifest(outcome.row.bytes).kind === "index") return asPage(outcome.row.bytes);
    return asPage(new TextEncoder().encode(emptyIndex));
  }
}

const emptyIndex = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[]}`;

function asPage(bytes: Uint8Array<ArrayBuffer>): Answer<Page> {
  return { kind: "found", bytes, mediaType: mediaTypes.ociIndex, nextQuery: undefined, filtersApplied: undefined };
}
