import type { RegistryHost } from "../../reference/host.ts";
import type { Registries } from "../../rules/resolve.ts";
import type { ContentStore } from "../../store/content.ts";
import type { HostedIndex } from "../../store/hosted-index.ts";
import type { ContentIndex } from "../../store/content-index.ts";
import type { BlobMirror } from "../blobs.ts";
import type { ManifestMirror } from "../manifests.ts";
import type { PageMirror } from "../pages.ts";
import type { Quota } from "../quota.ts";

/** A cache under the settings in force, as the operations on it see it. */
export interface Keeping {
  readonly index: ContentIndex;
  /** Our own repositories, which share the content. */
  readonly hosted: HostedIndex;
  readonly content: ContentStore;
  readonly quota: Quota;
  readonly blobs: BlobMirror;
  readonly manifests: ManifestMirror;
  readonly pages: PageMirror;
  readonly registries: Registries;
  /** Where an upstream is reached, for people. */
  readonly urlOf: (host: RegistryHost) => string | undefined;
  readonly nowMs: () => number;
  /** Resolves after a time, or as soon as the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}
