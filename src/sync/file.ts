import type { UpstreamEntry } from "../config/file.ts";

/** Our own sync file as written: keys and shapes of its schema, nothing filled in. */
export interface SyncFile {
  readonly registries?: Readonly<Record<string, RegistryEntry>> | undefined;
  readonly defaults?: DefaultsEntry | undefined;
  readonly sync: readonly EntryText[];
  readonly schedule?: string | undefined;
  readonly parallel?: number | undefined;
  readonly dockerConfig?: boolean | undefined;
  readonly createRepositories?: boolean | undefined;
}

/** A value of `registries`. */
export type RegistryEntry = Omit<UpstreamEntry, "cloud" | "public" | "region">;

/** `defaults`: what an entry may leave out. */
export interface DefaultsEntry {
  readonly platforms?: readonly string[] | undefined;
  readonly platform?: string | undefined;
  readonly referrers?: boolean | undefined;
  readonly backup?: string | undefined;
  readonly delete?: boolean | undefined;
  readonly flatten?: boolean | undefined;
}

/** An element of `sync`. */
export interface EntryText extends DefaultsEntry {
  readonly from: string;
  readonly to: string;
  readonly repositories?: RepositoriesEntry | undefined;
  readonly tags?: TagsEntry | undefined;
  readonly schedule?: string | undefined;
}

/** `repositories` of an entry. */
export interface RepositoriesEntry {
  readonly list?: readonly string[] | undefined;
  readonly match?: string | readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
}

/** `tags` of an entry. */
export interface TagsEntry extends RepositoriesEntry {
  readonly semver?: string | undefined;
  readonly newest?: number | undefined;
}
