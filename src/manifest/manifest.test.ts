import { expect, test } from "bun:test";
import fc from "fast-check";
import { ambiguityOf } from "./ambiguity.ts";
import { childrenOf, manifestMaxBytes, parseManifest } from "./manifest.ts";

const a = `sha256:${"a".repeat(64)}`;
const b = `sha256:${"b".repeat(64)}`;
const descriptor = (digest: string): string => `{"mediaType":"x/y","digest":"${digest}","size":3}`;
const parse = (text: string): ReturnType<typeof parseManifest> => parseManifest(new TextEncoder().encode(text));
const reason = (text: string): string => {
  const parsed = parse(text);
  return parsed.kind === "refused" ? parsed.reason : "";
};

test("a manifest's children are its config and layers", () => {
  const parsed = parse(`{"schemaVersion":2,"config":${descriptor(a)},"layers":[${descriptor(b)}],"extra":{"Any":1}}`);
  expect(parsed.kind === "refused" ? parsed : childrenOf(parsed).map((d) => String(d.digest))).toEqual([a, b]);
});

test("an index's children carry their platforms", () => {
  const child = `{"mediaType":"x/y","digest":"${a}","size":3,"platform":{"os":"linux","architecture":"arm","variant":"v7"}}`;
  const parsed = parse(`{"schemaVersion":2,"manifests":[${child}]}`);
  expect(parsed.kind === "index" ? parsed.manifests[0]?.platform : parsed).toEqual({
    os: "linux",
    architecture: "arm",
    variant: "v7",
  });
});

test.each([
  [`{"schemaVersion":2,"layers":[],"Layers":[${descriptor(b)}]}`, "another spelling"],
  [`{"schemaVersion":2,"layer\u017f":[]}`, "another spelling"],
  [`{"schemaVersion":2,"layers":[],"layers":[]}`, "twice"],
  [`{"schemaVersion":2,"config":{"digest":"${a}","Digest":"${b}","size":1}}`, "another spelling"],
  [`{"schemaVersion":2,"config":{"digest":"${a}","\\u0044igest":"${b}","size":1}}`, "another spelling"],
  [`{"schemaVersion":2,"layers":[],"manifests":[]}`, "manifest and of an index"],
  [`{"schemaVersion":2,"config":{"digest":"${a}","size":9007199254740993}}`, "int"],
  [`{"schemaVersion":2,"config":{"digest":"${a}","size":-1}}`, ">=0"],
  [`{"schemaVersion":2,"config":{"digest":"sha256:1","size":1}}`, "digest"],
  [`{"schemaVersion":1}`, "schemaVersion"],
  ["not json", "Invalid input"],
  ["[".repeat(100), "nested"],
  [" ".repeat(manifestMaxBytes + 1), "larger"],
])("refused %#", (text, words) => {
  expect(reason(text)).toContain(words);
});

test("annotations may have any spelling", () => {
  expect(reason(`{"schemaVersion":2,"layers":[],"annotations":{"Config":"x","config":"y"}}`)).toBe("");
});

test("what JSON itself writes is never ambiguous, unless a known key is spelled otherwise", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(ambiguityOf(text) ?? "another spelling").toContain("another spelling");
    }),
  );
});
