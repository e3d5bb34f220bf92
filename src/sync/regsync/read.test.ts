import { expect, test } from "bun:test";
import { issueCertificate } from "../../net/test-certificate.ts";
import { chooseTags } from "../tags.ts";
import type { Tag } from "../../reference/repository.ts";
import { describe } from "../testing/describe.ts";
import { inputOf, load, problemsOf, warningsOf } from "../testing/world.ts";

// The shapes that regsync's own examples have: extensions with anchors, merge keys, templates, tags that are numbers.

const everything = `
x-nightly: &nightly "15 01 * * *"
x-hub: &hub
  target: localhost:5000/hub/{{ .Sync.Source }}
  type: repository
x-gcr: &gcr
  target: localhost:5000/gcr/{{ index (split .Sync.Source "gcr.io/") 1 }}
version: 1
creds:
  - registry: localhost:5000
    tls: disabled
  - registry: docker.io
    user: "{{env \\"HUB_USER\\"}}"
    pass: "{{file \\"/run/secrets/hub\\"}}"
defaults:
  parallel: 2
  interval: 1h30m
  backup: "bkup-{{.Ref.Tag}}"
sync:
  - source: busybox:latest
    target: localhost:5000/library/busybox:stable
    type: image
    interval: 60m
    backup: ""
  - <<: *hub
    source: alpine
    tags:
      allow: [latest, 3, 3.10, "3.\\\\d+"]
      deny: [3.0]
    schedule: *nightly
    backup: "{{$t := time.Now}}{{printf \\"%s/backups/%s:%s-%d%d%d\\" .Ref.Registry .Ref.Repository .Ref.Tag $t.Year $t.Month $t.Day}}"
  - <<: *gcr
    source: gcr.io/example/app
    type: repository
    platform: linux/amd64
    referrers: true
    digestTags: true
  - source: quay.io
    target: localhost:5000/quay
    type: registry
    repos: { allow: [team/.*], deny: [.*/test] }
    tagSets:
      - semverRange: [">=1.0.0 <2.0.0", ">=4"]
      - allow: [edge]
`;

const world = { text: everything, env: { HUB_USER: "ann" }, files: { "/run/secrets/hub": "hunter2" } };

test("a whole file comes down to entries", async () => {
  const { entries, format, parallel } = await inputOf(world);
  expect(entries.map(describe)).toEqual([
    "docker.io/library/busybox:latest -> localhost:5000/library/busybox:stable; backup bkup-{tag}; every 3600000 ms",
    "docker.io/library/alpine:[!3.0 /latest/ /3/ /3.10/ /3.\\d+/] -> localhost:5000/hub/alpine; backup {registry}/backups/{repository}:{tag}-{year}{month}{day}; 15 01 * * *",
    "gcr.io/example/app:[*] -> localhost:5000/gcr/example/app; platform linux/amd64; referrers; digestTags; backup bkup-{tag}; every 5400000 ms",
    "quay.io/[/team/.*/ !.*/test]:[(>=1.0.0 <2.0.0) (>=4) | /edge/] -> localhost:5000/quay/**; backup bkup-{tag}; every 5400000 ms",
  ]);
  expect([format, parallel]).toEqual(["regsync", 2]);
  expect(entries.map(({ at }) => at.line)).toEqual([20, 25, 32, 38]);
});

test("its registries are reached as it says", async () => {
  const { registries, files } = await inputOf(world);
  const of = (host: string) => [...registries].find(([name]) => name === host)?.[1];
  expect(of("localhost:5000")).toMatchObject({
    upstream: { url: "http://localhost:5000", insecure: true },
    triesPlainHttp: false,
  });
  expect(of("docker.io")?.upstream.credentials).toEqual({
    kind: "password-file",
    username: "ann",
    passwordFile: "/run/secrets/hub",
  });
  expect(of("quay.io")?.upstream.credentials).toEqual({ kind: "docker-config" });
  expect(files).toEqual(["/etc/sync/sync.yaml", "/run/secrets/hub"]);
});

test("a set with nothing in it lets every tag through, one beside others lets through what they do", async () => {
  const text = (tags: string): string => `sync: [{ source: a.io/x, target: r.io/x, type: repository, ${tags} }]`;
  const chosen = async (tags: string): Promise<readonly string[]> => {
    const { entries } = await inputOf({ text: text(tags) });
    const images = entries[0]!.images;
    const from = "1.0 1.5 2.0 4.1 edge latest".split(" ") as Tag[];
    const names = images.kind === "tags" ? chooseTags(images.choice, from) : undefined;
    return names?.kind === "chosen" ? names.names : [];
  };
  expect(await chosen("tags: {}")).toHaveLength(6);
  expect(await chosen("tagSets: [{}, { allow: [edge] }]")).toHaveLength(6);
  expect(await chosen('tagSets: [{ semverRange: ["^1"] }], tags: { allow: [edge] }')).toEqual(["1.0", "1.5", "edge"]);
  expect(await chosen('tags: { semverRange: ["^1", ">=4"], deny: ["1\\\\.0"] }')).toEqual(["1.5", "4.1"]);
});

const step = "{ source: a.io/x, target: r.io/x, type: repository }";

test.each([
  ["registry: r.io, reqPerSec: 0.5, reqConcurrent: 3", { budget: { requests: 1, perMs: 2000, concurrent: 3 } }],
  ["registry: r.io, reqPerSec: 100", { budget: { requests: 100, perMs: 1000, concurrent: 128 } }],
  ["registry: r.io, tls: insecure", { url: "https://r.io", insecure: true }],
  ["registry: r.io, hostname: 'registry.internal:5000'", { url: "https://registry.internal:5000" }],
  ["registry: r.io, scheme: http", { url: "http://r.io", insecure: true }],
  ["registry: r.io, pathPrefix: team/a", { path: "team/a" }],
  ["registry: '{{env \"HOST\"}}', pathPrefix: a", { path: "a" }],
])("creds of %s make an upstream with %j", async (creds, expected) => {
  const { registries } = await inputOf({ text: `creds: [{ ${creds} }]\nsync: [${step}]`, env: { HOST: "r.io" } });
  const found = [...registries].find(([name]) => name === "r.io")?.[1];
  expect(found?.upstream).toMatchObject(expected);
});

test("an authority may stand in the file, and docker's logins may be left alone", async () => {
  const { cert } = issueCertificate({ commonName: "authority.example" });
  const { registries } = await inputOf({
    text: JSON.stringify({
      creds: [{ registry: "r.io", regcert: cert }],
      defaults: { skipDockerConfig: true },
      sync: [{ source: "a.io/x", target: "r.io/x", type: "repository" }],
    }),
  });
  const found = [...registries].map(
    ([host, { upstream }]) => `${host} ${upstream.ca === cert} ${upstream.credentials.kind}`,
  );
  expect(found).toEqual(["r.io true none", "a.io false none"]);
});

test("what means nothing here is warned of with its line, and stops nothing", async () => {
  const text = `
creds:
  - { registry: r.io, clientCert: x, repoAuth: true, user: "{{env \\"NOBODY\\"}}", pass: x }
defaults:
  ratelimit: { min: 10, retry: 15m }
  cacheCount: 500
sync:
  - source: a.io/x:1
    target: r.io/x:1
    type: image
    tags: { allow: [a] }
    hooks: { post: { type: slack } }
    includeExternal: true
`;
  expect(await warningsOf({ text })).toEqual([
    "sync.yaml:3:35: creds[0].clientCert: is not used: NO certificate is shown to the registry",
    "sync.yaml:3:48: creds[0].repoAuth: is not needed: each repository has a token of its own",
    "sync.yaml:3:60: creds[0].user: uses the variable NOBODY, which is not set: it is empty",
    "sync.yaml:5:14: defaults.ratelimit: is not needed: what a registry says of its limits is heeded for every request",
    "sync.yaml:6:15: defaults.cacheCount: is not needed",
    "sync.yaml:11:11: sync[0].tags: is not used with type image",
    "sync.yaml:12:12: sync[0].hooks: is not used: NO command is run before or after a copy",
    "sync.yaml:13:22: sync[0].includeExternal: is not used: layers that are kept elsewhere by their own URLs are NOT copied",
  ]);
});

function written(keys: string): string {
  return `sync:\n  - { source: a.io/x, target: r.io/x, type: repository, ${keys} }`;
}

test.each([
  [`version: 2\nsync: [${step}]`, "sync.yaml:1:10: version: must be 1"],
  ["sync: [{ source: a.io/x, target: r.io/x }]", "sync.yaml:1:8: sync[0].type: is missing"],
  [
    "sync: [{ source: a.io/x, target: r.io/x, type: tag }]",
    "sync.yaml:1:48: sync[0].type: must be image, repository, or registry",
  ],
  [written("tag: { allow: [a] }"), 'sync.yaml:2:57: sync[0].tag: is no known key; is "tags" meant?'],
  [written("tags: { alow: [a] }"), 'sync.yaml:2:65: sync[0].tags.alow: is no known key; is "allow" meant?'],
  [written("tags: { allow: ['('] }"), "sync.yaml:2:73: sync[0].tags.allow[0]: is no regular expression"],
  [
    written("tags: { semverRange: ['^1 || ^2'] }"),
    'sync.yaml:2:79: sync[0].tags.semverRange[0]: "||" is no comparator',
  ],
  [written("interval: often"), "sync.yaml:2:67: sync[0].interval: must be a duration such as 60m or 1h30m"],
  [written("schedule: TZ=UTC 0 0 * * *"), "sync.yaml:2:67: sync[0].schedule: has a time zone in it; take it out"],
  [written("schedule: '@every often'"), "sync.yaml:2:67: sync[0].schedule: must have a duration such as 1h30m"],
  [written("platform: amd64"), "sync.yaml:2:67: sync[0].platform: must be os/architecture[/variant]"],
  [written("backup: '{{if .Ref.Tag}}x{{end}}'"), "sync.yaml:2:65: sync[0].backup: uses {{if}}; write what it comes to"],
  [written("backup: '{{.Ref.Tag}}'"), "sync.yaml:2:65: sync[0].backup: is what would be overwritten itself"],
  [
    "sync: [{ source: 'a.io/x@sha256:0', target: r.io/x, type: repository }]",
    "sync.yaml:1:18: sync[0].source: is no image:",
  ],
  [
    "sync: [{ source: 'ocidir://x', target: r.io/x, type: image }]",
    "sync.yaml:1:18: sync[0].source: is a folder or a file; here images go",
  ],
  [
    "sync: [{ source: a.io/x, target: 'r.io/{{time.Now.Format \"2006\"}}', type: repository }]",
    "sync.yaml:1:34: sync[0].target: depends on the time",
  ],
  [
    "sync: [{ source: a.io/x, target: 'r.io/{{file \"absent\"}}', type: repository }]",
    "sync.yaml:1:34: sync[0].target: reads absent, which cannot",
  ],
  [
    "sync: [{ source: a.io/team, target: r.io, type: registry }]",
    "sync.yaml:1:18: sync[0].source: is no registry's host",
  ],
  [
    `sync:\n  - { source: a.io/x:1, target: r.io/z:1, type: image }\n  - { source: a.io/y:1, target: r.io/z:1, type: image }`,
    "sync.yaml:3:5: sync[1]: puts a.io/y:1 at r.io/z:1, where sync[0] (sync.yaml:2) puts a.io/x:1; nothing",
  ],
  [`creds: [{ user: x }]\nsync: [${step}]`, "sync.yaml:1:9: creds[0].registry: is missing"],
  [`creds: [{ registry: 'a b' }]\nsync: [${step}]`, "sync.yaml:1:21: creds[0].registry: is no registry's host"],
  [
    `creds: [{ registry: r.io, tls: off }]\nsync: [${step}]`,
    "sync.yaml:1:32: creds[0].tls: must be enabled, insecure, disabled",
  ],
  [
    `creds: [{ registry: r.io, credHelper: pass }]\nsync: [${step}]`,
    "sync.yaml:1:39: creds[0].credHelper: must be the name of a program",
  ],
  [
    `creds: [{ registry: r.io, regcert: x }]\nsync: [${step}]`,
    "sync.yaml:1:9: creds[0]: has an authority that is no PEM certificate",
  ],
  [
    `creds: [{ registry: r.io }, { registry: r.io }]\nsync: [${step}]`,
    "sync.yaml:1:29: creds[1]: r.io is there already",
  ],
])("%j has one problem, at %j", async (text, expected) => {
  const problems = await problemsOf({ text, format: "regsync" });
  expect(problems.map((problem) => problem.slice(0, expected.length))).toEqual([expected]);
});

test("a tag where tags are chosen is passed over, and said to be", async () => {
  const text = "sync: [{ source: 'a.io/x:1', target: 'r.io/x:1', type: repository, tags: { allow: [a] } }]";
  expect((await inputOf({ text })).entries.map(describe)).toEqual(["a.io/x:[/a/] -> r.io/x"]);
  expect(await warningsOf({ text })).toEqual([
    "sync.yaml:1:18: sync[0].source: has a tag, which is not used with type repository: tags says which",
    "sync.yaml:1:38: sync[0].target: has a tag, which is not used with type repository: tags says which",
  ]);
});

test("what is wrong with a default is said once", async () => {
  const text = `defaults: { backup: "{{if}}" }\nsync: [${step}, ${step.replaceAll("/x", "/y")}]`;
  expect(await problemsOf({ text })).toEqual([expect.stringContaining("sync.yaml:1:21: defaults.backup: uses {{if}}")]);
});

test("no problem and no warning repeats a password", async () => {
  const text = `creds: [{ registry: r.io, user: u, pass: "{{nope}}hunter2", passs: hunter2, token: hunter2 }]\nsync: [${step}]`;
  expect(JSON.stringify(await load({ text }))).not.toContain("hunter2");
});
