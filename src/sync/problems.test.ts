import { expect, test } from "bun:test";
import fc from "fast-check";
import { load, problemsOf } from "./testing/world.ts";

const digest = `sha256:${"0a".repeat(32)}`;
const ok = "{ from: a.io/x, to: r.io/x }";

function entry(keys: string): string {
  return `sync:\n  - { from: a.io/x, to: r.io/x, ${keys} }`;
}

test.each([
  ["sync: [\n", "sync.yaml:2:1: is not valid YAML"],
  ["registries: {}", "sync.yaml:1:1: sync: is missing"],
  ["sync: {}", "sync.yaml:1:7: sync: must be a list"],
  ["sync: [{ to: r.io/x }]", "sync.yaml:1:8: sync[0].from: is missing"],
  [
    "sync: [{ from: a.io/x, to: r.io/x, flaten: true }]",
    'sync.yaml:1:36: sync[0].flaten: is no known key; is "flatten" meant?',
  ],
  ["sync: [[]]", "sync.yaml:1:8: sync[0]: must be a mapping of keys to values"],
  ["sync: [null]", "sync.yaml:1:8: sync[0]: must be a mapping of keys to values"],
  [`sync: [${ok}]\nretries: 3`, "sync.yaml:2:1: retries: is no known key; those known here are"],
  [
    `sync: [${ok}]\nhooks: 3`,
    "sync.yaml:2:1: hooks: is no known key; those known here are registries, defaults, sync,",
  ],
  [entry("tags: { lsit: [a] }"), 'sync.yaml:2:41: sync[0].tags.lsit: is no known key; is "list" meant?'],
  [entry("tags: { list: [a/b] }"), "sync.yaml:2:48: sync[0].tags.list[0]: must be a tag"],
  [entry("tags: { match: '(' }"), "sync.yaml:2:48: sync[0].tags.match: is no regular expression that RE2 takes"],
  [entry("tags: { match: [a, '(?=b)'] }"), "sync.yaml:2:52: sync[0].tags.match[1]: is no regular expression"],
  [entry("tags: { semver: new }"), 'sync.yaml:2:49: sync[0].tags.semver: "new" is no range of versions such as'],
  [entry("tags: { newest: 0 }"), "sync.yaml:2:49: sync[0].tags.newest: must be a whole number from 1"],
  [entry("tags: { list: [a-rc1], skip: ['*-rc*'] }"), "sync.yaml:2:39: sync[0].tags: lists a-rc1 and skips it"],
  [entry("platforms: [amd64]"), "sync.yaml:2:45: sync[0].platforms[0]: must be os/architecture[/variant] such as"],
  [
    entry("platforms: [linux/a], platform: linux/b"),
    "sync.yaml:2:65: sync[0].platform: and platforms exclude each other",
  ],
  [entry("backup: '{tagg}'"), "sync.yaml:2:41: sync[0].backup: has {tagg}; is {tag} meant?"],
  [entry("backup: '{tag}'"), "sync.yaml:2:41: sync[0].backup: is what would be overwritten itself"],
  [entry("backup: '{registry}/B:{tag}'"), 'sync.yaml:2:41: sync[0].backup: makes "r.io/B:tag", where'],
  [entry("schedule: hourly"), "sync.yaml:2:43: sync[0].schedule: must be an interval such as 15m"],
  [entry("repositories: {}"), "sync.yaml:2:47: sync[0].repositories: is for a registry; from names one"],
  ["sync: [{ from: a.io/X, to: r.io/x }]", "sync.yaml:1:16: sync[0].from: is no image, repository or registry's host"],
  ["sync: [{ from: a.io/x, to: r.io }]", "sync.yaml:1:28: sync[0].to: names no repository; say r.io/** to keep"],
  ["sync: [{ from: a.io, to: r.io/x }]", "sync.yaml:1:26: sync[0].to: must end in /** so that every repository"],
  [
    "sync: [{ from: a.io/x, to: r.io/x:one }]",
    "sync.yaml:1:28: sync[0].to: must have {tag} in its tag: all tags would",
  ],
  ["sync: [{ from: a.io/x:1, to: r.io/x, tags: {} }]", "sync.yaml:1:44: sync[0].tags: is for a whole repository"],
  ["sync: [{ from: a.io/x:1, to: r.io/x, delete: true }]", "sync.yaml:1:46: sync[0].delete: is for a whole repository"],
  [
    `sync: [{ from: 'a.io/x@${digest}', to: r.io/x, platform: linux/amd64 }]`,
    "sync.yaml:1:102: sync[0].to: needs a tag: with platforms the digest of from is not kept",
  ],
  [
    `sync: [{ from: 'a.io/x@${digest}', to: 'r.io/x:{tag}' }]`,
    "sync.yaml:1:102: sync[0].to: has {tag} in its tag, and from has none",
  ],
  ["sync: [{ from: a.io/x:1, to: a.io/x }]", "sync.yaml:1:8: sync[0]: would copy a.io/x:1 onto itself"],
  [
    "sync:\n  - { from: a.io/x:1, to: r.io/z }\n  - { from: a.io/y:1, to: r.io/z }",
    "sync.yaml:3:5: sync[1]: puts a.io/y:1 at r.io/z:1, where sync[0] (sync.yaml:2) puts a.io/x:1; nothing",
  ],
  [
    "sync:\n  - { from: a.io, to: r.io/**, flatten: true, repositories: { list: [a/x, b/x] }, tags: { list: [1] } }",
    "sync.yaml:2:5: sync[0]: puts a.io/b/x:1 at r.io/x:1, where sync[0] (sync.yaml:2) puts a.io/a/x:1; nothing",
  ],
  [`registries: { a b: {} }\nsync: [${ok}]`, "sync.yaml:1:15: registries.a b: must be a registry's host such as"],
  [`registries: { r.io: { clowd: x } }\nsync: [${ok}]`, "sync.yaml:1:23: registries.r.io.clowd: is no known key"],
  [
    `registries: { r.io: { url: 'http://r.io' } }\nsync: [${ok}]`,
    "sync.yaml:1:28: registries.r.io.url: r.io would be reached by plain HTTP",
  ],
  [
    `registries: { r.io: { ca: ca.crt } }\nsync: [${ok}]`,
    "sync.yaml:1:27: registries.r.io.ca: ca.crt cannot be read: there is no such",
  ],
  [
    `registries: { r.io: { ca: text } }\nsync: [${ok}]`,
    "sync.yaml:1:27: registries.r.io.ca: text is no PEM certificate",
  ],
  [
    `registries: { docker.io: {}, index.docker.io: {} }\nsync: [${ok}]`,
    "sync.yaml:1:47: registries.index.docker.io: docker.io is there",
  ],
  [
    `defaults: { platform: linux/a, platforms: [linux/b] }\nsync: []`,
    "sync.yaml:1:23: defaults.platform: and platforms exclude",
  ],
])("%j has one problem, at %j", async (text, expected) => {
  const problems = await problemsOf({ text, files: { "/etc/sync/text": "text" } });
  expect(problems.map((problem) => problem.slice(0, expected.length))).toEqual([expected]);
});

test("all problems are said at once and in the order of the file, what the schema refuses beside what goes together badly", async () => {
  const problems = await problemsOf({
    text: `
registries:
  r.io: { insecur: true }
sync:
  - { from: a.io/x, to: r.io }
  - { from: a.io/y, to: r.io/y, tags: { newest: many } }
  - { from: a.io/z:1, to: r.io/z, delete: true }
  - { from: a.io/y:1, to: r.io/z }
schedule: sometimes
`,
  });
  expect(problems.map((problem) => problem.split(": ").slice(0, 2).join(" "))).toEqual([
    "sync.yaml:3:11 registries.r.io.insecur",
    "sync.yaml:5:25 sync[0].to",
    "sync.yaml:6:49 sync[1].tags.newest",
    "sync.yaml:7:43 sync[2].delete",
    "sync.yaml:8:5 sync[3]",
    "sync.yaml:9:11 schedule",
  ]);
});

test("no value at any key of any form makes it throw, and every problem has a place in the text", async () => {
  const keys =
    "sync from to tags list match semver registries r.io a.io/x url creds registry user pass source target type tags allow backup images images-by-semver credentials auth repositories schedule defaults";
  const key = fc.constantFrom(...keys.split(" "));
  const leaf = fc.oneof(
    fc.constantFrom(
      "a.io/x",
      "r.io/**",
      "a.io",
      "15m",
      '{{env "X"}}',
      "{tag}",
      "image",
      "repository",
      "registry",
      "^a",
      "*",
      "(",
      "",
    ),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const { node } = fc.letrec<{ node: unknown; mapping: object }>((tie) => ({
    mapping: fc.dictionary(key, tie("node"), { maxKeys: 6 }),
    node: fc.oneof({ maxDepth: 4 }, leaf, tie("mapping"), fc.array(tie("node"), { maxLength: 3 })),
  }));
  const format = fc.constantFrom("periplus", "regsync", "skopeo", "image-syncer", undefined);
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, node), format, async (value, forced) => {
      const loaded = await load({
        text: JSON.stringify(value, undefined, 1),
        format: forced,
        destination: { dest: "r.io" },
      });
      if (loaded.kind === "loaded") return;
      expect(loaded.problems.length).toBeGreaterThan(0);
      for (const { line, column, message } of loaded.problems) {
        expect(message.startsWith("is no sync file") ? 1 : Math.min(line, column)).toBeGreaterThan(0);
        expect(message).not.toMatch(/undefined|\[object|Invalid input/);
      }
    }),
    { numRuns: 400 },
  );
}, 60_000);
