import { expect, test } from "bun:test";
import { addressOf } from "./address.ts";
import { settingsAt } from "./testing/bucket-at.ts";

const aws = "https://s3.eu-test-1.amazonaws.com";

test.each([
  ["in the path", settingsAt("http://127.0.0.1:7070"), "http://127.0.0.1:7070/bucket/blobs/sha256%3Aab"],
  ["in the host", settingsAt(aws, { pathStyle: false }), "https://bucket.s3.eu-test-1.amazonaws.com/blobs/sha256%3Aab"],
  [
    "in the host, with a port",
    settingsAt("http://localhost:7070", { pathStyle: false }),
    "http://bucket.localhost:7070/blobs/sha256%3Aab",
  ],
  ["without a prefix", settingsAt(aws, { prefix: "" }), `${aws}/bucket/sha256%3Aab`],
])("a bucket %s", (_, settings, url) => {
  const address = addressOf(settings);
  expect(address.target(address.fullKey("sha256:ab"), {}).url.href).toBe(url);
});

test("a query, and every character that a signature counts, is encoded", () => {
  const { url } = addressOf(settingsAt(aws)).target("a b+c&d=e?f#g%h!'()*é/i", { "x y": "a+b&c", delete: "" });
  expect(url.href).toBe(`${aws}/bucket/a%20b%2Bc%26d%3De%3Ff%23g%25h%21%27%28%29%2A%C3%A9/i?x%20y=a%2Bb%26c&delete=`);
});

test.each([
  "",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "../other",
  "a/../../b",
  "a/./b",
  "a\nb",
  "a\u0000b",
  "\uD800",
  "a".repeat(1024 - 5),
])("%j is no key", (key) => {
  expect(addressOf(settingsAt(aws)).fullKey(key)).toBeUndefined();
});

test("a key of 1024 bytes is one", () => {
  expect(addressOf(settingsAt(aws)).fullKey("é".repeat(509))).toBe(`blobs/${"é".repeat(509)}`);
});

test.each([
  ["loopback", "http://127.0.0.1:1", {}, { allowHttp: true, allowPrivate: true, verify: true }],
  ["another host", "http://minio.internal", {}, { allowHttp: false, allowPrivate: true, verify: true }],
  ["insecure", "http://minio.internal", { insecure: true }, { allowHttp: true, allowPrivate: true, verify: false }],
  ["AWS", aws, { mayBePrivate: false }, { allowHttp: false, allowPrivate: false, verify: true }],
])("how %s is reached", (_, endpoint, changes, reach) => {
  expect(addressOf(settingsAt(endpoint, changes)).target(undefined, {}).reach).toMatchObject(reach);
});
