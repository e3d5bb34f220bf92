import { parseManifest } from "../../manifest/manifest.ts";
import { cosignTags } from "../../manifest/referrer-tags.ts";
import type { Digest } from "../../reference/digest.ts";
import type { ManifestRow } from "../../store/content-index.ts";
import type { ManifestOutcome, Pull } from "../pull.ts";
import type { Keeping } from "./keeping.ts";

/** What belongs to an image and refers to it: a manifest that is now held, or why one could not be had. */
export type Referrer =
  | { readonly kind: "manifest"; readonly row: ManifestRow; readonly receivedBytes: number }
  | { readonly kind: "lost"; readonly reason: string };

const pagesMax = 20;
const referrersMax = 200;

/**
 * Signatures, attestations and SBOMs of a manifest: by cosign's tags (`sha256-HEX.sig`), and by the referrers list, which
 * is kept with them. OCI distribution spec v1.1, "Listing Referrers". Bounded: who may push may attach without end.
 */
export async function* referrersOf(keeping: Keeping, pull: Pull, digest: Digest): AsyncGenerator<Referrer, void, void> {
  for (const tag of cosignTags(digest)) yield* known(await keeping.manifests.byTag(pull, tag));
  let count = 0;
  for await (const listed of listedReferrers(keeping, pull, digest)) {
    if (typeof listed !== "string") return yield listed;
    if (++count > referrersMax) {
      return yield { kind: "lost", reason: `${digest} has more than ${referrersMax} referrers: the rest is left out` };
    }
    yield* known(await keeping.manifests.byDigest(pull, listed));
  }
}

function* known(outcome: ManifestOutcome): Generator<Referrer, void, void> {
  if (outcome.kind === "unavailable") yield { kind: "lost", reason: outcome.message };
  if (outcome.kind !== "found") return;
  const receivedBytes = outcome.origin === "miss" ? outcome.row.bytes.byteLength : 0;
  yield { kind: "manifest", row: outcome.row, receivedBytes };
}

async function* listedReferrers(
  { pages }: Keeping,
  pull: Pull,
  digest: Digest,
): AsyncGenerator<Digest | Extract<Referrer, { readonly kind: "lost" }>, void, void> {
  let query: string | undefined = "";
  for (let count = 0; query !== undefined && count < pagesMax; count++) {
    const outcome = await pages.referrers(pull, digest, query);
    if (outcome.kind === "absent") return;
    if (outcome.kind === "unavailable") return yield { kind: "lost", reason: outcome.message };
    const list = parseManifest(outcome.page.bytes);
    if (list.kind !== "index") return yield { kind: "lost", reason: `the referrers list of ${digest} is no index` };
    for (const descriptor of list.manifests) yield descriptor.digest;
    query = outcome.page.nextQuery;
  }
}
