import { isMapping } from "../format.ts";
import type { Path } from "../../config/problem.ts";

/** Keys of regsync that mean nothing here, and what a person who wrote one should know. */
type Ignored = Readonly<Record<string, string>>;

const sharedIgnored: Ignored = {
  ratelimit: "is not needed: what a registry says of its limits is heeded for every request",
  mediaTypes: "is not used: manifests of every media type are copied",
  referrerFilters: "is not used: with referrers, all that refers to an image is copied",
  referrerSource: "is not used: referrers are looked for beside the image, and those elsewhere are NOT copied",
  referrerTarget: "is not used: referrers are put beside the image",
  referrerSlow: "is not needed",
  fastCheck: "is not needed: an image whose digest is at the target is not read again",
  forceRecursive: "is not used: what a manifest at the target names is trusted to be there",
  includeExternal: "is not used: layers that are kept elsewhere by their own URLs are NOT copied",
  hooks: "is not used: NO command is run before or after a copy",
};

const defaultsIgnored: Ignored = {
  ...sharedIgnored,
  blobLimit: "is not needed: layers are streamed, whatever their size",
  cacheCount: "is not needed",
  cacheTime: "is not needed",
  userAgent: "is not used",
};

const credsIgnored: Ignored = {
  clientCert: "is not used: NO certificate is shown to the registry",
  clientKey: "is not used: NO certificate is shown to the registry",
  token: "is not used: give user and pass, or credHelper",
  credExpire: "is not needed: a helper is asked again as needed",
  credHost: "is not used: a helper is asked for the registry's own name",
  mirrors: "is not used: the registry itself is asked",
  priority: "is not used: there are no mirrors",
  repoAuth: "is not needed: each repository has a token of its own",
  api: "is not used",
  apiOpts: "is not used",
  blobChunk: "is not needed: the registry says how large a chunk may be",
  blobMax: "is not needed: the registry says how large a chunk may be",
};

/** A value without the keys that mean nothing here and without `x-` keys, and each of the former with its words. */
export interface Stripped {
  readonly value: unknown;
  readonly ignored: readonly { readonly path: Path; readonly message: string }[];
}

/** Takes out of a regsync file what has no meaning here. */
export function stripIgnored(value: unknown): Stripped {
  if (!isMapping(value)) return { value, ignored: [] };
  const ignored: { path: Path; message: string }[] = [];
  const strip = (part: unknown, path: Path, table: Ignored): unknown => {
    if (Array.isArray(part)) return part.map((item: unknown, index) => strip(item, [...path, index], table));
    if (!isMapping(part)) return part;
    const kept = Object.entries(part).filter(([key]) => {
      const message = table[key];
      if (message !== undefined) ignored.push({ path: [...path, key], message });
      return message === undefined && !key.startsWith("x-");
    });
    return Object.fromEntries(kept);
  };
  const tables: Readonly<Record<string, Ignored>> = {
    creds: credsIgnored,
    defaults: defaultsIgnored,
    sync: sharedIgnored,
  };
  const top = Object.entries(value).filter(([key]) => !key.startsWith("x-"));
  const stripped = top.map(([key, part]) => [key, strip(part, [key], tables[key] ?? {})] as const);
  return { value: Object.fromEntries(stripped), ignored };
}

/** Every key of regsync that means nothing here. */
export const ignoredKeys: ReadonlySet<string> = new Set(
  [defaultsIgnored, credsIgnored].flatMap((table) => Object.keys(table)),
);
