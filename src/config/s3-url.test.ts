import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseS3Url } from "./s3-url.ts";

test.each([
  ["s3://my-bucket", { bucket: "my-bucket", prefix: "" }],
  ["s3://my-bucket/", { bucket: "my-bucket", prefix: "" }],
  ["s3://my.bucket/a/b/", { bucket: "my.bucket", prefix: "a/b" }],
  ["s3://my-bucket/a?region=eu-central-1", { bucket: "my-bucket", prefix: "a", region: "eu-central-1" }],
  [
    "s3://my-bucket?endpoint=http://127.0.0.1:9000&pathStyle=false&insecure=true&profile=ci",
    {
      bucket: "my-bucket",
      prefix: "",
      endpoint: "http://127.0.0.1:9000",
      pathStyle: false,
      insecure: true,
      credentials: { profile: "ci" },
    },
  ],
])("%s is read", (text, entry) => {
  expect(parseS3Url(text)).toEqual({ kind: "bucket", entry });
});

test.each([
  ["", "must be s3://BUCKET/PREFIX"],
  ["https://my-bucket", "must be s3://BUCKET/PREFIX"],
  ["s3://", "must be s3://BUCKET/PREFIX"],
  ["s3://my-bucket#a", "must be s3://BUCKET/PREFIX"],
  ["s3://KEY:SECRET@my-bucket", "must have no key in it"],
  ["s3://My-Bucket", "names no bucket"],
  ["s3://ab", "names no bucket"],
  ["s3://a..b", "names no bucket"],
  ["s3://127.0.0.1", "names no bucket"],
  ["s3://my-bucket//a", "has a prefix that cannot stand before keys"],
  ["s3://my-bucket/a/../b", "has a prefix that cannot stand before keys"],
  ["s3://my-bucket/a b", "has a prefix that cannot stand before keys"],
  ["s3://my-bucket?regoin=x", "has an option that is not known"],
  ["s3://my-bucket?region=a&region=b", "gives region twice"],
  ["s3://my-bucket?region=", "gives region a value that it cannot have"],
  ["s3://my-bucket?pathStyle=yes", "gives pathStyle a value that it cannot have"],
  [`s3://my-bucket/${"a".repeat(2048)}`, "must be s3://BUCKET/PREFIX"],
])("%s is refused", (text, reason) => {
  const parsed = parseS3Url(text);
  expect(parsed.kind === "refused" ? parsed.reason : parsed).toStartWith(reason);
});

test("a refusal never repeats the text", () => {
  const reason = JSON.stringify(parseS3Url("s3://AKIASECRET:hunter2@my-bucket?x=hunter3"));
  expect(reason).not.toMatch(/hunter|AKIA/);
});

test("any text is read or refused, and no read prefix leads out of the bucket", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const parsed = parseS3Url(`s3://my-bucket/${text}`);
      if (parsed.kind === "bucket") expect(`/${parsed.entry.prefix}/`).not.toMatch(/\/\.{1,2}\//);
    }),
  );
});
