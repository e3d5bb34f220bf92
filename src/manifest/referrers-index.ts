import type { Digest } from "../reference/digest.ts";
import { ambiguityOf } from "./ambiguity.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { manifestMaxBytes, parseManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

/** A manifest that refers to another one, as it is listed. */
export interface ReferrerManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** What becomes of an index when a referrer is added: new bytes, nothing since it is there, or why it cannot be done. */
export type AddedReferrer =
  | { readonly kind: "added"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "listed" }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * The index that stands for a referrers list, with one more entry. Whatever else is in it stays. OCI distribution spec v1.1,
 * "Pushing Manifests with Subject".
 */
export function addReferrer(index: Uint8Array | undefined, referrer: ReferrerManifest): AddedReferrer {
  const list = index === undefined ? emptyList : listOf(parseJson(index));
  if (list === undefined) return { kind: "refused", reason: "the tag of its referrers list names no index" };
  if (list.manifests.some(({ digest }) => digest === referrer.digest)) return { kind: "listed" };
  const manifests = [...list.manifests, descriptorOf(referrer)];
  const bytes = new TextEncoder().encode(JSON.stringify({ ...list, manifests }));
  if (bytes.byteLength > manifestMaxBytes) return { kind: "refused", reason: "its referrers list would pass 4 MiB" };
  return { kind: "added", bytes };
}

const nothing = { artifactType: undefined, annotations: undefined } as const;

const emptyList = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] } as const;

interface ReferrersList {
  readonly manifests: readonly Fields[];
}

/** The list with everything else that is in it. */
function listOf(value: unknown): ReferrersList | undefined {
  const fields = fieldsOf(value);
  const manifests = fields?.["manifests"];
  if (fields === undefined || !Array.isArray(manifests)) return undefined;
  const entries = manifests.map((entry: unknown) => fieldsOf(entry)).filter((entry) => entry !== undefined);
  const areAll = entries.length === manifests.length && entries.every(({ digest }) => typeof digest === "string");
  return areAll ? { ...fields, manifests: entries } : undefined;
}

/** An image's artifact type is that of its config. OCI image spec, manifest.md, "artifactType". */
function descriptorOf({ digest, mediaType, bytes }: ReferrerManifest): object {
  const document = parseManifest(bytes);
  const { artifactType, annotations } = document.kind === "refused" ? nothing : document;
  const type = artifactType ?? (document.kind === "manifest" ? document.config?.mediaType : undefined);
  return {
    mediaType,
    digest,
    size: bytes.byteLength,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder().decode(bytes);
    const value: unknown = JSON.parse(text);
    return ambiguityOf(text) === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}
