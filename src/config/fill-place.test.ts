import { expect, test } from "bun:test";
import { type NamedPlace, namedPlace } from "./fill-place.ts";
import { load, settingsOf } from "./test-world.ts";
import { formatProblem } from "./problem.ts";

const world = { env: {}, cwd: "/home/ann" };

test.each<[string, Partial<Extract<NamedPlace, { kind: "s3" }>["bucket"]> | string]>([
  ["filled", "/home/ann/filled"],
  ["/srv/blobs", "/srv/blobs"],
  ["s3://one/images?region=eu-west-1", { bucket: "one", prefix: "images", region: "eu-west-1", pathStyle: false }],
  ["s3://one?endpoint=http://127.0.0.1:9000", { prefix: "", endpoint: "http://127.0.0.1:9000", pathStyle: true }],
])("%s is a place", (text, expected) => {
  const place = namedPlace(text, world);
  if (typeof expected === "string") expect(place).toEqual({ kind: "files", folder: expected });
  else expect(place).toMatchObject({ kind: "s3", bucket: expected });
});

test.each([
  ["", "it is empty"],
  ["s3://one", "it has neither region nor endpoint; add the region that the bucket is in"],
  ["s3://U", "it names no bucket: 3 to 63 lower-case letters, digits, dots and dashes"],
  ["s3://key:hunter2@one", "it must have no key in it; keys go into credentials"],
  ["s3://one?endpoint=http://store.example", "it would be reached by plain HTTP; use https, or say insecure: true"],
])("%p is none", (text, reason) => {
  expect(namedPlace(text, world)).toEqual({ kind: "refused", reason });
});

function withFill(fill: string): string {
  return `rules: [{ match: "*", serve: redirect }]
redirect: { buckets: [{ name: x, url: "https://x", default: true, fill: ${fill} }] }`;
}

test("the file's places have its own folder, and what they name is read", async () => {
  const { redirect, files } = await settingsOf({ text: withFill("{ bucket: one, region: r, ca: internal.pem }") });
  expect(redirect.buckets[0]?.fill).toMatchObject({ kind: "s3", bucket: { caFile: "/etc/periplus/internal.pem" } });
  expect(files).toContain("/etc/periplus/internal.pem");
  const inFolder = await settingsOf({ text: withFill("filled") });
  expect(inFolder.redirect.buckets[0]?.fill).toEqual({ kind: "files", folder: "/etc/periplus/filled" });
});

test.each([
  ["{ bucket: one, region: r, ca: none.pem }", "redirect.buckets[0].fill.ca: none.pem cannot be read"],
  [
    "{ bucket: one, region: r, credentials: { accessKeyId: K, secretAccessKeyFile: gone } }",
    "redirect.buckets[0].fill.credentials.secretAccessKeyFile: gone cannot be read",
  ],
  ['"s3://one"', "redirect.buckets[0].fill: has neither region nor endpoint"],
  ["{ bucket: one, colour: red }", "redirect.buckets[0].fill.colour: is no known key"],
  ["[]", "redirect.buckets[0].fill: must be a folder, s3://BUCKET/PREFIX or { bucket, … }"],
])("%s is refused where it stands", async (fill, message) => {
  const loaded = await load({ text: withFill(fill) });
  expect(loaded.kind === "invalid" && loaded.problems.map(formatProblem).join()).toContain(message);
});
