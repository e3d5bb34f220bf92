import { expect, test } from "bun:test";
import { describe } from "./testing/describe.ts";
import { inputOf, load, warningsOf } from "./testing/world.ts";

const digest = `sha256:${"0a".repeat(32)}`;

test.each([
  ["{ from: registry.k8s.io/pause, to: r.io/k8s/pause }", "registry.k8s.io/pause:[*] -> r.io/k8s/pause"],
  ["{ from: nginx:1.27, to: r.io/** }", "docker.io/library/nginx:1.27 -> r.io/**"],
  [`{ from: nginx@${digest}, to: r.io/** }`, `docker.io/library/nginx@${digest} -> r.io/**`],
  ["{ from: busybox:1, to: r.io/b }", "docker.io/library/busybox:1 -> r.io/b"],
  ["{ from: registry.k8s.io, to: r.io/m/** }", "registry.k8s.io/[*]:[*] -> r.io/m/**"],
  ["{ from: localhost:5000, to: r.io/m/** }", "localhost:5000/[*]:[*] -> r.io/m/**"],
  ["{ from: registry:5000/, to: r.io/m/** }", "registry:5000/[*]:[*] -> r.io/m/**"],
  ["{ from: 'a.io/x', to: 'r.io/x', tags: { list: [3.10, 1e3, '07'] } }", "a.io/x:[3.10 | 1e3 | 07] -> r.io/x"],
  [
    "{ from: a.io/x, to: r.io/x, tags: { list: [v1], skip: ['*-rc*'], match: '^v1', semver: '>=1 <2', newest: 5 } }",
    "a.io/x:[v1 | !*-rc* /^v1/ (>=1 <2) newest 5] -> r.io/x",
  ],
  ["{ from: a.io/x, to: r.io/x, tags: { semver: 1.30 } }", "a.io/x:[(1.30)] -> r.io/x"],
  [
    "{ from: a.io, to: r.io/**, repositories: { list: [a], match: [^b, c$], skip: ['d*'] } }",
    "a.io/[a /^b/ /c$/ !d*]:[*] -> r.io/**",
  ],
  ["{ from: a.io, to: r.io/**, flatten: true }", "a.io/[*]:[*] -> r.io/*"],
  ["{ from: a.io/x, to: 'r.io/x:{tag}-m' }", "a.io/x:[*] -> r.io/x:{tag}-m"],
  [
    "{ from: a.io/x, to: r.io/x, platforms: [linux/amd64, linux/arm/v7], referrers: true, backup: '{tag}-{date}', delete: true, schedule: 15m }",
    "a.io/x:[*] -> r.io/x; platforms linux/amd64,linux/arm/v7; referrers; digestTags; backup {tag}-{year4}{month2}{day2}; delete; every 900000 ms",
  ],
  [
    "{ from: a.io/x, to: r.io/x, platform: linux/amd64, schedule: 15 1 * * * }",
    "a.io/x:[*] -> r.io/x; platform linux/amd64; 15 1 * * *",
  ],
])("%s", async (entry, expected) => {
  const { entries, format } = await inputOf({ text: `sync:\n  - ${entry}\n` });
  expect(entries.map(describe)).toEqual([expected]);
  expect(format).toBe("periplus");
});

test("defaults are for entries that say nothing themselves", async () => {
  const { entries, parallel } = await inputOf({
    text: `
defaults: { platforms: [linux/amd64], referrers: true, delete: true, backup: "{tag}-old", flatten: true }
schedule: 1h
parallel: 4
sync:
  - { from: a.io/x/y, to: r.io/** }
  - { from: a.io/x/z, to: r.io/q/**, platform: linux/arm64, referrers: false, delete: false, backup: "{tag}-b", flatten: false, schedule: 2h }
  - { from: a.io/x:1, to: r.io/x }
`,
  });
  expect(entries.map(describe)).toEqual([
    "a.io/x/y:[*] -> r.io/*; platforms linux/amd64; referrers; digestTags; backup {tag}-old; delete; every 3600000 ms",
    "a.io/x/z:[*] -> r.io/q/**; platform linux/arm64; backup {tag}-b; every 7200000 ms",
    "a.io/x:1 -> r.io/x; platforms linux/amd64; referrers; digestTags; backup {tag}-old; every 3600000 ms",
  ]);
  expect(parallel).toBe(4);
});

test("platforms of an entry stand above the platform of the defaults", async () => {
  const text = "defaults: { platform: linux/amd64 }\nsync: [{ from: a.io/x, to: r.io/x, platforms: [linux/arm64] }]";
  expect((await inputOf({ text })).entries.map(describe)).toEqual(["a.io/x:[*] -> r.io/x; platforms linux/arm64"]);
});

test("entries and problems know their lines", async () => {
  const { entries } = await inputOf({
    text: "sync:\n  - from: a.io/x\n    to: r.io/x\n  - from: a.io/y\n    to: r.io/y\n",
  });
  expect(entries.map(({ at }) => at)).toEqual([
    { file: "sync.yaml", line: 2, column: 5, path: "sync[0]" },
    { file: "sync.yaml", line: 4, column: 5, path: "sync[1]" },
  ]);
});

test.each([
  ["sync: []", "sync.yaml:1:1: has no entries: nothing is copied"],
  [
    "sync: [{ from: a.io/x, to: r.io/x, backup: old }]",
    "sync.yaml:1:44: sync[0].backup: has no tag in it: each tag that is overwritten also overwrites the backup of the one before",
  ],
])("%s loads with a warning", async (text, expected) => {
  expect(await warningsOf({ text })).toEqual([expected]);
});

test("a file that is not there is the one problem", async () => {
  const { loadSync } = await import("./load.ts");
  const absent = (path: string): Promise<never> => Promise.reject(Object.assign(new Error(path), { code: "ENOENT" }));
  const loaded = await loadSync({ file: "x.yaml", cwd: "/", env: {}, readFile: absent, readFolder: absent });
  expect(loaded).toEqual({
    kind: "invalid",
    problems: [{ file: "x.yaml", line: 0, column: 0, path: "", message: "cannot be read: there is no such file" }],
  });
});

test("what is read is named, so that a change of it can be seen", async () => {
  const loaded = await load({ text: "registries: { r.io: { ca: ca.crt } }\nsync: []", files: {} });
  expect(loaded.kind).toBe("invalid");
  const { files } = await inputOf({ text: "sync: [{ from: a.io/x, to: r.io/x }]" });
  expect(files).toEqual(["/etc/sync/sync.yaml"]);
});
