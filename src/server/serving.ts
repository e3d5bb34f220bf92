import type { Settings, Upstream } from "../config/settings.ts";
import type { BlobMirror } from "../mirror/blobs.ts";
import type { ManifestMirror } from "../mirror/manifests.ts";
import type { PageMirror } from "../mirror/pages.ts";
import type { AddressSet } from "../net/address-set.ts";
import type { Registries } from "../rules/resolve.ts";
import type { Steer } from "../steer/steer.ts";
import type { Hosted } from "./hosted/hosted.ts";
import type { Access } from "./access.ts";

/** The cache's parts, when any rule caches. */
export interface Mirrors {
  readonly blobs: BlobMirror;
  readonly manifests: ManifestMirror;
  readonly pages: PageMirror;
}

/** Everything one generation of settings serves with. A reload makes a new one and swaps it at once. */
export interface Serving {
  readonly settings: Settings;
  readonly registries: Registries;
  /** True when some rule, or `*` without an upstream, looks at `Host`. */
  readonly readsHost: boolean;
  readonly clients: AddressSet;
  readonly trustedProxies: AddressSet;
  readonly access: Access | undefined;
  readonly steer: Steer;
  readonly mirrors: Mirrors | undefined;
  /** Our own repositories, when any rule stores. */
  readonly hosted: Hosted | undefined;
  /** True when only this machine can reach the listener. */
  readonly isOnLoopback: boolean;
}

/** True when what an upstream gives may only go to users. */
export function isPrivate(upstream: Upstream): boolean {
  return upstream.credentials.kind !== "none" && !upstream.isPublic;
}
