import { expect, test } from "bun:test";
import { issueCertificate } from "../../net/test-certificate.ts";
import type { Destination } from "../reading.ts";
import { describe } from "../testing/describe.ts";
import { inputOf, problemsOf, warningsOf } from "../testing/world.ts";

const digest = `sha256:${"0a".repeat(32)}`;
const { cert } = issueCertificate({ commonName: "authority.example" });

// The shape that skopeo's own example has: every kind of choice, a login, certificates, TLS on and off.
const everything = `
registry.example.com:
  images:
    busybox: []
    redis:
      - "1.0"
      - 2.10
      - ${digest}
  images-by-tag-regex:
    nginx: ^1\\.13\\.[12]-alpine-perl$
  images-by-semver:
    alpine: ">= 3.12.0"
  credentials: { username: john, password: this is a secret }
  tls-verify: true
  cert-dir: certs
quay.io:
  tls-verify: false
  images:
    coreos/etcd:
      - latest
`;
const files = { "/etc/sync/certs/ca.crt": cert, "/etc/sync/certs/client.key": "no certificate" };

function entries(destination: Destination, text = everything): Promise<readonly string[]> {
  return inputOf({ text, files, destination }).then(({ entries: found }) => found.map(describe));
}

test("a whole file comes down to entries with their whole paths", async () => {
  expect(await entries({ dest: "my-registry.local.lan/repo/" })).toEqual([
    "registry.example.com/busybox:[*] -> my-registry.local.lan/repo/**",
    "registry.example.com/redis:[1.0 | 2.10] -> my-registry.local.lan/repo/**",
    `registry.example.com/redis@${digest} -> my-registry.local.lan/repo/**`,
    "registry.example.com/nginx:[/^1\\.13\\.[12]-alpine-perl$/] -> my-registry.local.lan/repo/**",
    "registry.example.com/alpine:[(>= 3.12.0)] -> my-registry.local.lan/repo/**",
    "quay.io/coreos/etcd:[latest] -> my-registry.local.lan/repo/**",
  ]);
});

const etcd = "quay.io: { images: { coreos/etcd: [latest] } }";

test.each([
  [{ dest: "r.io" }, "quay.io/coreos/etcd:[latest] -> r.io/**"],
  [{ dest: "r.io", scoped: true }, "quay.io/coreos/etcd:[latest] -> r.io/quay.io/**"],
  [{ dest: "r.io/m", flatten: true }, "quay.io/coreos/etcd:[latest] -> r.io/m/*"],
  [{ dest: "r.io", appendSuffix: "-mirror" }, "quay.io/coreos/etcd:[latest] -> r.io/**:{tag}-mirror"],
])("with %j it goes to %s", async (destination, expected) => {
  expect(await entries(destination, etcd)).toEqual([expected]);
});

test("its registries are reached as it says", async () => {
  const { registries, files: read } = await inputOf({ text: everything, files, destination: { dest: "r.io" } });
  const found = [...registries].map(([host, { upstream, login, triesPlainHttp }]) => {
    return [host, upstream.ca, upstream.insecure, triesPlainHttp, login?.kind];
  });
  expect(found).toEqual([
    ["registry.example.com", cert, false, false, "password"],
    ["quay.io", undefined, true, true, undefined],
    ["r.io", undefined, false, false, undefined],
  ]);
  expect(read).toEqual(["/etc/sync/sync.yaml", "/etc/sync/certs"]);
});

const platforms = "sync.yaml:1:1: every platform of an image is copied, as by skopeo with --all";

test("where it differs from skopeo, it says so", async () => {
  expect(await warningsOf({ text: etcd, destination: { dest: "r.io/" } })).toEqual([
    platforms,
    "sync.yaml:1:1: repositories keep their whole path: coreos/etcd goes to r.io/coreos/etcd, where skopeo puts it at r.io/etcd; say --flatten for that",
  ]);
  expect(await warningsOf({ text: etcd, destination: { dest: "r.io", flatten: true } })).toEqual([platforms]);
  expect(await warningsOf({ text: etcd, destination: { dest: "r.io", scoped: true } })).toEqual([platforms]);
  const flat = "quay.io: { images: { etcd: [latest] } }\na.io: { tls-verify: true }";
  expect(await warningsOf({ text: flat, destination: { dest: "r.io" } })).toEqual([
    platforms,
    "sync.yaml:2:7: a.io: names no images: nothing is copied from it",
  ]);
});

test.each<[string, Destination, string]>([
  [etcd, {}, "command line: --dest: is missing: the file does not say where images go"],
  [etcd, { dest: "r.io/A" }, 'command line: --dest: "A" in it is not a repository name'],
  [etcd, { dest: "r.io", scoped: true, flatten: true }, "command line: --flatten: and --scoped exclude each other"],
  [
    "'a.io:5000': { images: { x: [a] } }",
    { dest: "r.io", scoped: true },
    'command line: --dest: "a.io:5000" in it is not a repository',
  ],
  [
    "a.io: { image: { x: [] }, tls-verify: true }",
    { dest: "r.io" },
    'sync.yaml:1:9: a.io.image: is no known key; is "images" meant?',
  ],
  ["a.io: { images: { X: [] } }", { dest: "r.io" }, 'sync.yaml:1:19: a.io.images.X: is no repository: "X" is not'],
  ["a.io: { images: { 'x:1': [] } }", { dest: "r.io" }, "sync.yaml:1:19: a.io.images.x:1: is no repository: tags and"],
  [
    "a.io: { images: { x: [a/b] } }",
    { dest: "r.io" },
    "sync.yaml:1:23: a.io.images.x[0]: is neither a tag nor a digest",
  ],
  [
    "a.io: { images-by-tag-regex: { x: '(' } }",
    { dest: "r.io" },
    "sync.yaml:1:35: a.io.images-by-tag-regex.x: is no regular",
  ],
  [
    "a.io: { images-by-semver: { x: new } }",
    { dest: "r.io" },
    'sync.yaml:1:32: a.io.images-by-semver.x: "new" is no range',
  ],
  [
    "a.io: { images: { x: [] }, tls-verify: no }",
    { dest: "r.io" },
    "sync.yaml:1:40: a.io.tls-verify: must be true or false",
  ],
  [
    "a.io: { images: { x: [] }, cert-dir: none }",
    { dest: "r.io" },
    "sync.yaml:1:38: a.io.cert-dir: none cannot be read: there is no",
  ],
  [
    `a.io: { images: { x: ['${digest}'] } }`,
    { dest: "r.io", appendSuffix: "-m" },
    "command line: --dest: has {tag} in its tag, and",
  ],
  [
    "a.io: { images: { a/x: ['1'] } }\nb.io: { images: { b/x: ['1'] } }",
    { dest: "r.io", flatten: true },
    "sync.yaml:2:24: b.io.images.b/x: puts b.io/b/x:1 at r.io/x:1, where a.io.images.a/x (sync.yaml:1) puts a.io/a/x:1",
  ],
])("%j with %j has one problem, at %j", async (text, destination, expected) => {
  const problems = await problemsOf({ text, destination });
  expect(problems.map((problem) => problem.slice(0, expected.length))).toEqual([expected]);
});
