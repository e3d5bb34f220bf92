/** Media types of manifests and indexes. OCI image spec, media-types.md; Docker image manifest V2, schema 2. */
export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifestV1: "application/vnd.docker.distribution.manifest.v1+json",
  dockerManifestV1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
  artifactManifest: "application/vnd.oci.artifact.manifest.v1+json",
} as const;

/**
 * The `Accept` of every manifest request that goes upstream. Always the whole list: a tag's answer is kept for all
 * clients, so it must not depend on what the first one would take.
 */
export const acceptManifests: string = [
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  mediaTypes.artifactManifest,
  `${mediaTypes.dockerManifestV1Signed};q=0.5`,
  "*/*;q=0.1",
].join(", ");

/** The media type of a header without parameters, in lower case; `undefined` when there is none. */
export function bareMediaType(header: string | null): string | undefined {
  if (header === null) return undefined;
  const end = header.indexOf(";");
  const bare = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
  return bare === "" ? undefined : bare;
}
