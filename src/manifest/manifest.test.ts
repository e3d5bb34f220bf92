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
  [`{"schemaVersion":2,"config":{"digest":"${a}","size":9007199254740993}}`, "config.size: not a whole number"],
  [`{"schemaVersion":2,"config":{"digest":"${a}","size":-1}}`, "config.size: not a whole number"],
  [`{"schemaVersion":2,"config":{"digest":"sha256:1","size":1}}`, "config.digest: not a sha256 or sha512 digest"],
  [`{"schemaVersion":2,"config":null}`, "config: not an object"],
  [`{"schemaVersion":2,"config":[]}`, "config: not an object"],
  [`{"schemaVersion":2,"layers":{}}`, "layers: not a list"],
  [`{"schemaVersion":2,"layers":[${descriptor(a)},1]}`, "layers[1]: not an object"],
  [`{"schemaVersion":2,"layers":[${Array.from({ length: 4097 }, () => descriptor(a)).join()}]}`, "more than 4096"],
  [`{"schemaVersion":2,"layers":[{"digest":"${a}","size":"1"}]}`, "layers[0].size: not a whole number"],
  [`{"schemaVersion":2,"layers":[{"digest":"${a}"}]}`, "layers[0].size: not a whole number"],
  [`{"schemaVersion":2,"layers":[{"digest":"${a}","size":1,"mediaType":null}]}`, "layers[0].mediaType: not a text"],
  [`{"schemaVersion":2,"manifests":[{"digest":"${a}","size":1,"platform":{"os":"linux"}}]}`, "platform.architecture"],
  [`{"schemaVersion":2,"subject":{"size":1}}`, "subject.digest"],
  [`{"schemaVersion":2,"mediaType":"${"x".repeat(256)}"}`, "mediaType: longer than 255"],
  [`{"schemaVersion":2,"annotations":{"a":1}}`, "annotations: not an object of texts"],
  [`{"schemaVersion":"2"}`, "schemaVersion: not 2"],
  [`{"schemaVersion":1}`, "schemaVersion"],
  ["not json", "not an object"],
  ["[".repeat(100), "nested"],
  [" ".repeat(manifestMaxBytes + 1), "larger"],
])("refused %#", (text, words) => {
  expect(reason(text)).toContain(words);
});

test.each([
  [`{"schemaVersion":2,"layers":null,"manifests":null,"annotations":null}`],
  [`{"schemaVersion":2,"manifests":[],"layers":null}`],
  [`{"schemaVersion":2,"layers":[{"digest":"${a}","size":0}],"whatever":1}`],
])("taken %#", (text) => {
  expect(reason(text)).toBe("");
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
