import type { Problem } from "../config/problem.ts";
import type { Upstream } from "../config/settings.ts";
import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Platform } from "../reference/platform.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { SyncFormat } from "./format.ts";
import type { RepositoryChoice } from "./repositories.ts";
import type { Schedule } from "./schedule.ts";
import type { TagChoice } from "./tags.ts";
import type { TargetPattern } from "./target.ts";
import type { Template } from "./template.ts";

/** Where something stands, for what is said of it. */
export type Place = Pick<Problem, "column" | "file" | "line" | "path">;

/** Everything that a sync file asks for, whoever's form it has: what copies are planned from. */
export interface SyncPlanInput {
  readonly format: SyncFormat;
  readonly entries: readonly SyncEntry[];
  /** How every registry that an entry names is reached. */
  readonly registries: ReadonlyMap<RegistryHost, RegistryAccess>;
  /** Images that are copied at once; absent where the file does not say. */
  readonly parallel: number | undefined;
  /** Repositories that must exist before they are pushed to are created. */
  readonly createRepositories: boolean;
  /** Files that were read: a change of one of them is a reason to read again. */
  readonly files: readonly string[];
}

/** How a registry is reached and logged in to. */
export interface RegistryAccess {
  readonly upstream: Upstream;
  /** Stands above the upstream's credentials. */
  readonly login: Login | undefined;
  /** HTTPS is tried first, with any certificate, and plain HTTP after it, as skopeo does where TLS is not verified. */
  readonly triesPlainHttp: boolean;
}

/** A login that a configuration cannot hold. The password is given by a function so that nothing that prints values prints it. */
export type Login =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly username: string; readonly password: () => string }
  /** `helper` is what comes after `docker-credential-`. */
  | { readonly kind: "helper"; readonly helper: string };

/** One line of what is to be copied. */
export interface SyncEntry {
  readonly at: Place;
  readonly source: SyncSource;
  readonly target: TargetPattern;
  readonly images: ImageChoice;
  readonly platforms: PlatformChoice;
  /** What refers to the images (`referrers` of the registry) is copied too. */
  readonly referrers: boolean;
  /** So are the tags that name a digest, `sha256-HEX.sig` and its like. */
  readonly digestTags: boolean;
  /** Where what a tag names is kept before the tag is moved to something else. */
  readonly backup: Template | undefined;
  /** Tags at the target that the source lacks are deleted. */
  readonly delete: boolean;
  /** When it is copied again; absent for only when asked. */
  readonly schedule: Schedule | undefined;
}

/** One repository, or those of a registry that are chosen. */
export type SyncSource =
  | { readonly kind: "repository"; readonly host: RegistryHost; readonly repository: Repository }
  | { readonly kind: "registry"; readonly host: RegistryHost; readonly repositories: RepositoryChoice };

/** One image by tag, digest or both, of which the digest decides; or tags that are chosen. */
export type ImageChoice =
  | { readonly kind: "one"; readonly tag: Tag | undefined; readonly digest: Digest | undefined }
  | { readonly kind: "tags"; readonly choice: TagChoice };

/** All platforms; an index with only these; or the manifest of one without its index. Only all keep the digest of an index. */
export type PlatformChoice =
  | { readonly kind: "all" }
  | { readonly kind: "index-of"; readonly platforms: readonly Platform[] }
  | { readonly kind: "single"; readonly platform: Platform };
