import { afterAll, beforeAll, expect, test } from "bun:test";
import { algorithmOf, type Digest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import { type PutManifest, putManifest } from "./manifests.ts";
import { createHostedWorld, digestOf, type HostedWorld } from "./testing/hosted-world.ts";

const repository = "team/app" as Repository;
const oci = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
const artifact = "application/vnd.oci.artifact.manifest.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";
const foreignType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

let world: HostedWorld;
beforeAll(async () => {
  world = await createHostedWorld();
  for (const text of ["config", "layer"])
    await world.index.addBlob(repository, { digest: digestOf(text), sizeBytes: text.length, leasedAtMs: 1 });
});
afterAll(() => world[Symbol.asyncDispose]());

interface Sent {
  readonly contentType?: string | null;
  readonly reference?: string;
  readonly tags?: readonly string[];
  readonly isImmutable?: (tag: Tag) => boolean;
}

function put(document: unknown, sent: Sent = {}): Promise<PutManifest> {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  const { contentType = oci, reference = "v1", tags = [], isImmutable = () => false } = sent;
  const bytes = new TextEncoder().encode(text);
  const asked = { repository, reference: reference as Tag | Digest, contentType, bytes, tags: tags as readonly Tag[] };
  return putManifest(world.index, { ...asked, isImmutable }, 5);
}

const part = (text: string, mediaType = layerType): Record<string, unknown> => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
});
const image = {
  schemaVersion: 2,
  mediaType: oci,
  config: part("config", "application/vnd.oci.image.config.v1+json"),
  layers: [part("layer")],
};
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [] };

test.each<[string, unknown, Sent, string]>([
  ["no JSON", "{", {}, "MANIFEST_INVALID"],
  ["nothing", "", {}, "MANIFEST_INVALID"],
  ["a list", "[]", {}, "MANIFEST_INVALID"],
  ["another schema", { ...image, schemaVersion: 1 }, {}, "MANIFEST_INVALID"],
  ["a key twice", `{"schemaVersion":2,"layers":[],"layers":[]}`, {}, "MANIFEST_INVALID"],
  ["a key in two cases", `{"schemaVersion":2,"layers":[],"Layers":[]}`, {}, "MANIFEST_INVALID"],
  ["layers and manifests", { ...image, manifests: [] }, {}, "MANIFEST_INVALID"],
  ["a digest of another kind", { ...image, layers: [{ ...part("layer"), digest: "md5:00" }] }, {}, "MANIFEST_INVALID"],
  ["a negative size", { ...image, layers: [{ ...part("layer"), size: -1 }] }, {}, "MANIFEST_INVALID"],
  ["another type than it says", image, { contentType: docker }, "MANIFEST_INVALID"],
  ["an index sent as a manifest", { ...index, mediaType: undefined }, {}, "MANIFEST_INVALID"],
  [
    "a manifest sent as an index",
    { ...image, mediaType: undefined },
    { contentType: ociIndex, reference: "v1" },
    "MANIFEST_INVALID",
  ],
  ["a type that is not kept", { ...image, mediaType: undefined }, { contentType: "text/html" }, "MANIFEST_INVALID"],
  ["plain JSON", { ...image, mediaType: undefined }, { contentType: "application/json" }, "MANIFEST_INVALID"],
  ["another digest than its own", image, { reference: digestOf("another") }, "DIGEST_INVALID"],
  ["another sha512 than its own", image, { reference: digestOf("another", "sha512") }, "DIGEST_INVALID"],
])("a manifest with %s is refused, and why is said", async (_, document, sent, code) => {
  const refused = await put(document, sent);
  expect(refused).toMatchObject({ kind: "invalid", code });
  expect("reason" in refused && refused.reason.length > 10).toBe(true);
  expect(await world.index.tags(repository, "", 9)).toEqual([]);
});

test.each<[string, unknown, Digest]>([
  ["config", { ...image, config: part("none") }, digestOf("none")],
  ["layer", { ...image, layers: [part("layer"), part("none")] }, digestOf("none")],
  [
    "layer by sha512",
    { ...image, layers: [{ ...part("layer"), digest: digestOf("layer", "sha512") }] },
    digestOf("layer", "sha512"),
  ],
  ["manifest", { ...index, manifests: [part("none", oci)] }, digestOf("none")],
])("a manifest whose %s is not here is refused", async (_, document, digest) => {
  const { mediaType } = document as { readonly mediaType: string };
  expect(await put(document, { contentType: mediaType })).toEqual({ kind: "missing", digest });
});

test.each<[string, unknown, string | null, string]>([
  ["OCI's", image, oci, oci],
  ["OCI's with a parameter", image, `${oci}; charset=utf-8`, oci],
  ["OCI's that names its type only in the header", { ...image, mediaType: undefined }, oci, oci],
  ["OCI's that names its type only in itself", image, null, oci],
  ["that names no type", { ...image, mediaType: undefined }, null, oci],
  ["an index that names no type", { ...index, mediaType: undefined }, null, ociIndex],
  ["Docker's", { ...image, mediaType: docker }, docker, docker],
  ["Docker's list", { ...index, mediaType: dockerList }, dockerList, dockerList],
  ["an artifact's", { ...image, mediaType: artifact, config: undefined }, artifact, artifact],
  ["with a layer from elsewhere", { ...image, layers: [part("none", foreignType)] }, oci, oci],
  ["with a subject that is not here", { ...image, subject: part("none", oci) }, oci, oci],
  ["with fields that nobody knows", { ...image, x: { y: [1] } }, oci, oci],
])("a manifest %s is kept as it came", async (_, document, contentType, mediaType) => {
  const text = JSON.stringify(document, undefined, 1);
  const digest = digestOf(text);
  expect(await put(text, { contentType })).toMatchObject({ kind: "added", digest });
  const row = await world.index.tagged(repository, "v1" as Tag);
  expect(row).toEqual({ digest, mediaType, bytes: new TextEncoder().encode(text) });
  await world.index.removeManifest(repository, digest, ["v1" as Tag]);
});

test("a manifest is pushed by a digest of either kind, with the tags that are asked for", async () => {
  for (const algorithm of ["sha256", "sha512"] as const) {
    const digest = digestOf(JSON.stringify(image), algorithm);
    expect(await put(image, { reference: digest, tags: ["a", "b", "a"] })).toMatchObject({ kind: "added", digest });
    expect((await world.index.tagsOf(repository, digest)).map(String)).toEqual(["a", "b"]);
    expect(algorithmOf(digest)).toBe(algorithm);
    await world.index.removeManifest(repository, digest, ["a" as Tag, "b" as Tag]);
  }
});

test("a tag that never changes is set once; the reference and the query's tags count", async () => {
  const isImmutable = (tag: Tag): boolean => tag.startsWith("v");
  const changed = { ...image, annotations: { changed: "yes" } };
  await put(image, { reference: "v2", isImmutable });
  expect(await put(changed, { reference: "v2", isImmutable })).toMatchObject({ kind: "immutable", tag: "v2" });
  const byDigest = { reference: digestOf(JSON.stringify(changed)), tags: ["latest", "v2"], isImmutable };
  expect(await put(changed, byDigest)).toMatchObject({ kind: "immutable", tag: "v2" });
  expect(await world.index.tagged(repository, "latest" as Tag)).toBeUndefined();
  expect(await put(image, { reference: "v2", isImmutable })).toMatchObject({ kind: "added" });
});

test.each<[string, Record<string, unknown>, string]>([
  ["its artifactType", { artifactType: "x/sbom" }, "x/sbom"],
  ["its config's type", {}, "application/vnd.oci.image.config.v1+json"],
])("what refers to a manifest is listed with %s and its annotations", async (_, more, artifactType) => {
  const subject = part(`subject of ${artifactType}`, oci);
  const document = { ...image, ...more, subject, annotations: { of: artifactType } };
  const digest = digestOf(JSON.stringify(document));
  expect(await put(document, { reference: digest })).toEqual({
    kind: "added",
    digest,
    subject: digestOf(`subject of ${artifactType}`),
  });
  const query = { subject: digestOf(`subject of ${artifactType}`), artifactType, after: "", limit: 9 };
  const [referrer, ...others] = await world.index.referrers(repository, query);
  expect([JSON.parse(referrer?.descriptor ?? ""), others]).toEqual([
    { mediaType: oci, digest, size: JSON.stringify(document).length, artifactType, annotations: { of: artifactType } },
    [],
  ]);
});

test("an index that names blobs, as caches of builds do, is kept, and they with it", async () => {
  const document = { ...index, manifests: [part("layer"), part("config")] };
  expect(await put(document, { contentType: ociIndex, reference: "cache" })).toMatchObject({ kind: "added" });
  for (const text of ["layer", "config"])
    expect(await world.index.collectBlob(repository, digestOf(text), Number.MAX_SAFE_INTEGER)).toBe(false);
});
