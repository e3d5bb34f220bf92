import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseEndpoint } from "./endpoint.ts";

const digest = `sha256:${"0a".repeat(32)}`;

test.each([
  ["/v2", "base"],
  ["/v2/", "base"],
  ["/v2/_catalog", "catalog"],
  ["/v2/pause/manifests/3.9", "manifest"],
  [`/v2/pause/manifests/${digest}`, "manifest-by-digest"],
  [`/v2/a/b/c/blobs/${digest}`, "blob"],
  [`/v2/localhost:5000/a/blobs/${digest}`, "blob"],
  ["/v2/registry.k8s.io/pause/tags/list", "tags"],
  [`/v2/a/referrers/${digest}`, "referrers"],
  ["/v2/manifests/manifests/manifests", "manifest"],
  ["/v2/a/tags/lists", "unknown"],
  ["/v2/a/blobs/uploads/", "uploads"],
  ["/v2/a/blobs/uploads", "uploads"],
  ["/v2/a/b/blobs/uploads/0f-1_A", "upload"],
  ["/v2/a/b/blobs/uploads/0f.1", "unknown"],
  [`/v2/a/blobs/uploads/${"a".repeat(129)}`, "unknown"],
  ["/v2/A/blobs/uploads/", "invalid"],
  ["/v2/a/uploads/x", "unknown"],
  ["/v2/blobs/uploads/", "unknown"],
  ["/v2/a/blobs/sha256:12", "invalid"],
  ["/v2/A/manifests/x", "invalid"],
  ["/v2/a/manifests/.x", "invalid"],
  ["/v2/a%2fb/manifests/x", "invalid"],
  ["/v2/a\\b/manifests/x", "invalid"],
  ["/v2//a/manifests/x", "invalid"],
  ["/v2/a:70000000/b/manifests/x", "invalid"],
  ["/v2/manifests/x", "unknown"],
  ["/v1/a/manifests/x", "unknown"],
  ["/v2x", "unknown"],
  [`/v2/${"a/".repeat(400)}manifests/x`, "invalid"],
])("%s is %s", (path, kind) => {
  expect<string>(parseEndpoint(path).kind).toBe(kind);
});

test("nothing that is not in the grammar comes through as a name", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."a0./%\\:-_ \0"), maxLength: 20 }), (text) => {
      const endpoint = parseEndpoint(`/v2/${text}/manifests/x`);
      if (endpoint.kind === "manifest")
        expect(endpoint.name).toMatch(/^[a-z0-9][a-z0-9._-]*(:\d{1,5})?(\/[a-z0-9._-]+)*$/);
    }),
    { numRuns: 20_000 },
  );
});
