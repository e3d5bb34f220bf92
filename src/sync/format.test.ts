import { expect, test } from "bun:test";
import { detectFormat, syncFormats } from "./format.ts";
import { load } from "./testing/world.ts";

test.each([
  [{ sync: [{ from: "a", to: "b" }] }, "periplus"],
  [{ sync: [] }, "periplus"],
  [{ sync: [], registries: {}, version: 1 }, "periplus"],
  [{ registries: {} }, "periplus"],
  [{ sync: [{ from: "a", target: "b" }] }, "periplus"],
  [{ sync: [{ source: "a", target: "b" }] }, "regsync"],
  [{ sync: [], version: 1 }, "regsync"],
  [{ creds: [] }, "regsync"],
  [{ "quay.io": { images: { a: [] } }, "docker.io": { "tls-verify": false } }, "skopeo"],
  [{ "quay.io": { "images-by-semver": { a: "*" } } }, "skopeo"],
  [{ "quay.io/a": "r.io/a" }, "image-syncer"],
  [{ "quay.io/a:1": ["r.io/a", "r.io/b"] }, "image-syncer"],
  [{ images: { "quay.io/a": "r.io/a" }, auth: {} }, "image-syncer"],
  [{ rules: [{ match: "*" }] }, undefined],
  [{ listen: "x" }, undefined],
  [{}, undefined],
  [[], undefined],
  ["text", undefined],
  [null, undefined],
])("%j is in the form of %p", (value, format) => {
  expect(detectFormat(value)).toBe(format as (typeof syncFormats)[number]);
});

test("what tells nothing is refused, and a form can be forced", async () => {
  const text = "rules: []";
  const refused = await load({ text });
  expect(refused).toMatchObject({
    kind: "invalid",
    problems: [{ line: 0, message: expect.stringContaining("is no sync file") }],
  });
  for (const format of syncFormats) {
    const forced = await load({ text, format });
    expect(forced).toMatchObject({
      kind: "invalid",
      problems: expect.arrayContaining([expect.objectContaining({ line: 1 })]),
    });
  }
});
