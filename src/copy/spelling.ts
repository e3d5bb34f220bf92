import { type Digest, parseDigest } from "../reference/digest.ts";
import { parseReference, type Reference } from "../reference/reference.ts";

/** One end of a copy as people write it. `name` is what stands behind the path: a tag or a full name. */
export type SpelledEnd =
  | { readonly kind: "registry"; readonly reference: Reference }
  | {
      readonly kind: "oci" | "oci-archive" | "docker-archive";
      readonly path: string;
      readonly name: string | undefined;
      readonly digest: Digest | undefined;
    };

/** Why a text is no end of a copy, in words for the person who wrote it. */
export interface SpellingRefusal {
  readonly kind: "refused";
  readonly reason: string;
}

const endMaxLength = 4096;

/** Ends that skopeo and podman have, and what to write here instead. */
const foreign: Readonly<Record<string, string>> = {
  dir: "folders of this kind have no index and only one image; use oci:DIR",
  "docker-daemon": "save the image with docker save, and use docker-archive:FILE",
  "containers-storage": "push or save the image with podman, and use docker://HOST/REPO or oci-archive:FILE",
  tarball: "an image is not made here; use what builds images",
  sif: "use oci:DIR or oci-archive:FILE",
  ostree: "use oci:DIR or oci-archive:FILE",
  atomic: "use docker://HOST/REPO",
  http: "leave the scheme away: HOST/REPO:TAG",
  https: "leave the scheme away: HOST/REPO:TAG",
  oras: "use docker://HOST/REPO",
  ocidir: "use oci:DIR",
};

/**
 * Parses an end of a copy: `docker://HOST/REPO[:TAG][@DIGEST]` or the same without `docker://`, `oci:DIR[:TAG][@DIGEST]`,
 * `oci-archive:FILE[:NAME][@DIGEST]`, `docker-archive:FILE[:NAME]`, or a path that ends in `.tar`. As with skopeo, a path has
 * no `:` in it. A repository whose name ends in `.tar` takes `docker://`.
 */
export function parseEnd(text: string): SpelledEnd | SpellingRefusal {
  if (text.length === 0) return refused("it is empty");
  if (text.length > endMaxLength) return refused("it is longer than 4,096 characters");
  if (text === "-") return refused("archives are read and written at any place of a file; name a file");
  if (/\p{Cc}/u.test(text)) return refused("it has a control character");
  const colon = text.indexOf(":");
  const scheme = colon < 0 ? "" : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  switch (scheme) {
    case "docker":
      if (!rest.startsWith("//")) return refused(`a registry is written docker://HOST/REPO; two slashes are missing`);
      return registryEnd(rest.slice(2));
    case "oci":
    case "oci-archive":
    case "docker-archive":
      return fileEnd(scheme, rest);
    default:
  }
  const instead = Object.hasOwn(foreign, scheme) && !/^[0-9]+\//.test(rest) ? foreign[scheme] : undefined;
  if (instead !== undefined) return refused(`"${scheme}:" is not known here: ${instead}`);
  if ((colon < 0 ? text : scheme).endsWith(".tar")) return fileEnd("oci-archive", text);
  if (/^[./~]/.test(text)) return refused(`a folder is written oci:${text}, a file oci-archive:${text}`);
  return registryEnd(text);
}

function registryEnd(text: string): SpelledEnd | SpellingRefusal {
  const reference = parseReference(text);
  return "kind" in reference ? reference : { kind: "registry", reference };
}

type FileKind = Exclude<SpelledEnd["kind"], "registry">;

function fileEnd(kind: FileKind, text: string): SpelledEnd | SpellingRefusal {
  if (text.startsWith("//"))
    return refused(`${kind}: takes a path, without slashes before it: ${kind}:${text.slice(2)}`);
  const at = text.lastIndexOf("@");
  const digestText = at < 0 ? "" : text.slice(at + 1);
  const isDigest = /^sha[0-9]+:/.test(digestText);
  const digest = isDigest ? parseDigest(digestText) : undefined;
  if (isDigest && digest === undefined) return refused(`"${digestText}" is not a sha256 or sha512 digest`);
  if (digest !== undefined && kind === "docker-archive") {
    return refused("a docker-archive has no manifests that a digest could name; give the image's name");
  }
  const named = isDigest ? text.slice(0, at) : text;
  const colon = named.indexOf(":");
  const path = colon < 0 ? named : named.slice(0, colon);
  const name = colon < 0 ? undefined : named.slice(colon + 1);
  if (path === "") return refused(`${kind}: names no ${kind === "oci" ? "folder" : "file"}`);
  if (name?.startsWith("@")) return refused(`images are not chosen by number; give a name or a digest`);
  // Wider than the annotation's grammar (OCI image spec, annotations.md): every tag and every reference has to pass.
  if (name !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.:@+/-]*$/.test(name)) {
    return refused(`"${name}" is not the name of an image`);
  }
  return { kind, path, name, digest };
}

function refused(reason: string): SpellingRefusal {
  return { kind: "refused", reason };
}
