import { expect, test } from "bun:test";
import { parseDigest } from "../reference/digest.ts";
import { parseManifest } from "./manifest.ts";
import { addReferrer, type ReferrerManifest } from "./referrers-index.ts";

const bytesOf = (document: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(document));

const configOf = (mediaType: string): object => ({ mediaType, digest: `sha256:${"e".repeat(64)}`, size: 2 });

function referrer(letter: string, document: object): ReferrerManifest {
  return {
    digest: parseDigest(`sha256:${letter.repeat(64)}`)!,
    mediaType: "x/manifest",
    bytes: bytesOf({ schemaVersion: 2, ...document }),
  };
}

function added(index: Uint8Array | undefined, one: ReferrerManifest): Record<string, unknown> {
  const result = addReferrer(index, one);
  if (result.kind !== "added") return result;
  expect(parseManifest(result.bytes).kind).toBe("index");
  return JSON.parse(new TextDecoder().decode(result.bytes)) as Record<string, unknown>;
}

const signature = referrer("a", {
  artifactType: "x/signature",
  config: configOf("x/empty"),
  annotations: { a: "1" },
});
const listed = { mediaType: "x/manifest", digest: signature.digest, size: signature.bytes.byteLength };

test("the first referrer makes the index, with its type and annotations", () => {
  expect(added(undefined, signature)).toEqual({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ ...listed, artifactType: "x/signature", annotations: { a: "1" } }],
  });
});

test("one more keeps what is there; its type is that of its config when it says none", () => {
  const before = { schemaVersion: 2, manifests: [{ ...listed, extra: 1 }], other: ["kept"] };
  const one = referrer("b", { config: configOf("x/sbom") });
  expect(added(bytesOf(before), one)).toMatchObject({
    manifests: [
      { ...listed, extra: 1 },
      { digest: one.digest, artifactType: "x/sbom" },
    ],
    other: ["kept"],
  });
});

test.each([
  [{ manifests: [listed] }, { kind: "listed" }],
  [{ layers: [] }, { kind: "refused" }],
  ["no object", { kind: "refused" }],
])("%j: %j", (index, result) => {
  expect(addReferrer(bytesOf(index), signature)).toMatchObject(result);
});

test("an index that would be too large is refused", () => {
  const many = Array.from({ length: 40_000 }, () => ({ ...listed, digest: `sha256:${"c".repeat(64)}` }));
  expect(addReferrer(bytesOf({ manifests: many }), signature)).toMatchObject({ kind: "refused" });
});
