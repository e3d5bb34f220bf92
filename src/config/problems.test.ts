import { expect, test } from "bun:test";
import fc from "fast-check";
import { loadSettings } from "./load.ts";
import { formatProblem } from "./problem.ts";
import { exampleFiles, type Files, load, type World } from "./test-world.ts";

/** All problems of a world, one a line, with the file's long name cut off. */
async function problemsOf(world: World): Promise<readonly string[]> {
  const loaded = await load(world);
  if (loaded.kind === "loaded") return [];
  return loaded.problems.map((problem) => formatProblem(problem).replace("../../etc/periplus/", ""));
}

const served = `rules: [{ match: "*", serve: cache }]`;

test.each([
  // YAML itself
  ["a: [1,\nb: 2", "config.yaml:2:1: is not valid YAML: "],
  ["log: json\nlog: text", "config.yaml:2:1: is not valid YAML: Map keys must be unique"],
  ["log: json\n---\nlog: text", "config.yaml:2:1: is not valid YAML: Source contains multiple documents"],
  ["log: json\nrules:\n\t- x", "config.yaml:3:1: is not valid YAML: Tabs are not allowed as indentation"],
  ["rules: []\nlisten: *a", "config.yaml:2:9: the alias *a names no anchor before it"],
  ["rules: []\n__proto__: {}", "config.yaml:2:1: a key must be a plain name"],
  ["rules: []\n? [a, b]\n: c", "config.yaml:2:3: a key must be a plain name"],
  ["rules: []\nlisten: !secret x", "config.yaml:2:9: is not valid YAML: Unresolved tag: !secret"],
  // the schema
  ["- a", "config.yaml:1:1: must be a mapping of keys to values; {} if there are none"],
  ["", 'config.yaml:1:1: rules: is missing; a cache of everything is [{ match: "*", serve: cache }]'],
  [`${served}\nlisten: 5000`, "config.yaml:2:9: listen: must be HOST:PORT such as"],
  [`${served}\nlisten: :5000`, "config.yaml:2:9: listen: must be HOST:PORT such as"],
  [`${served}\ntsl: []`, 'config.yaml:2:1: tsl: is no known key; is "tls" meant?'],
  [`${served}\nListen: x`, 'config.yaml:2:1: Listen: is no known key; is "listen" meant?'],
  [`${served}\nbananas: x`, "config.yaml:2:1: bananas: is no known key; those known here are listen, tls, storage,"],
  [`${served}\nclients: 10.0.0.0/8`, "config.yaml:2:10: clients: must be any or a list of CIDRs"],
  [`${served}\nclients: [127.0.0.1, 10.0.0.1/8]`, "config.yaml:2:22: clients[1]: must be an address or a CIDR"],
  [`${served}\ntrustedProxies: [10.0.0.0/33]`, "config.yaml:2:18: trustedProxies[0]: must be an address or a CIDR"],
  [`${served}\nlog: xml`, "config.yaml:2:6: log: must be json, text, or off"],
  [`${served}\nworkers: 0`, "config.yaml:2:10: workers: must be a whole number from 1 to 256"],
  [`${served}\nwellKnown: yes`, "config.yaml:2:12: wellKnown: must be true or false"],
  [
    `${served}\nupstreams:\n  docker.io:`,
    "config.yaml:3:13: upstreams.docker.io: must be a mapping of keys to values; {}",
  ],
  [`${served}\nupstreams:\n  a b: {}`, "config.yaml:3:3: upstreams.a b: must be a registry's host such as"],
  [`${served}\nupstreams:\n  a.b: { url: "ftp://a" }`, "config.yaml:3:15: upstreams.a.b.url: must be a URL such as"],
  [
    `${served}\nupstreams:\n  a.b: { url: "https://a/b" }`,
    "config.yaml:3:15: upstreams.a.b.url: must be scheme and host only",
  ],
  [
    `${served}\nupstreams:\n  a.b: { url: "https://u:hunter2@a" }`,
    "config.yaml:3:15: upstreams.a.b.url: must have no user or password",
  ],
  [
    `${served}\nupstreams:\n  a.b: { path: /x }`,
    "config.yaml:3:16: upstreams.a.b.path: must be the segments before a repository",
  ],
  [
    `${served}\nupstreams:\n  a.b: { credentials: hunter2 }`,
    "config.yaml:3:23: upstreams.a.b.credentials: must be docker-config or { username, passwordFile }",
  ],
  [
    `${served}\nupstreams:\n  a.b: { credentials: { username: u, passwordFile: password, password: hunter2 } }`,
    "config.yaml:3:62: upstreams.a.b.credentials.password: is no known key; ",
  ],
  [
    `${served}\nupstreams:\n  a.b: { budget: { per: 6 hours } }`,
    "config.yaml:3:25: upstreams.a.b.budget.per: must be a duration such as",
  ],
  [
    `${served}\nupstreams:\n  a.b: { redirectHosts: minio }`,
    "config.yaml:3:25: upstreams.a.b.redirectHosts: must be a list",
  ],
  [`rules:\n  - { serve: cache }`, "config.yaml:2:5: rules[0].match: is missing"],
  [`rules:\n  - match: a.b\n    serve: cach`, "config.yaml:3:12: rules[0].serve: must be redirect, cache, or store"],
  [
    `rules:\n  - match: { hots: a }\n    serve: cache`,
    'config.yaml:2:14: rules[0].match.hots: is no known key; is "host" meant?',
  ],
  [
    `rules:\n  - match: { prefix: a/ }\n    serve: cache`,
    "config.yaml:2:22: rules[0].match.prefix: must be whole leading segments",
  ],
  [
    `rules:\n  - { match: "*", serve: cache, maxSize: 200G }`,
    "config.yaml:2:42: rules[0].maxSize: must be a size such as 200GB",
  ],
  [`${served}\nredirect: { buckets: [{ name: x }] }`, "config.yaml:2:23: redirect.buckets[0].url: is missing"],
  // what several values say together
  [
    `rules:\n  - { match: a.b, serve: store, upstream: quay.io }`,
    "config.yaml:2:43: rules[0].upstream: means nothing here: repositories of serve: store are our own",
  ],
  [
    `rules:\n  - { match: a.b, serve: store, maxSize: 1GB }`,
    "config.yaml:2:42: rules[0].maxSize: is for serve: cache alone",
  ],
  [
    `wellKnown: true\nrules:\n  - { match: "*", serve: cache, immutableTags: [v1] }`,
    "config.yaml:3:48: rules[0].immutableTags: is for serve: store",
  ],
  [
    `rules:\n  - { match: "*", serve: store, access: [{ users: [ci], may: [push] }] }`,
    "config.yaml:2:51: rules[0].access[0].users: names users, and there are none: add auth",
  ],
  [
    `listen: 0.0.0.0:5000\nrules:\n  - { match: "*", serve: store, access: [{ users: [anonymous], may: [push] }] }`,
    "config.yaml:3:69: rules[0].access[0].may: anonymous may only pull, except on a loopback address without auth",
  ],
  [
    `rules:\n  - { match: "*", serve: store, access: [{ users: [anonymous], may: [own] }] }`,
    "config.yaml:2:70: rules[0].access[0].may[0]: must be pull, push or delete",
  ],
  [
    `workers: 2\nrules:\n  - { match: "*", serve: store }`,
    "config.yaml:1:10: workers: must be 1 where a rule stores (rules[0])",
  ],
  [
    `wellKnown: true\nrules:\n  - { match: {}, serve: cache }`,
    "config.yaml:3:14: rules[0].match: needs at least one of host, ns and prefix",
  ],
  [
    `rules:\n  - { match: quay.io, serve: cache }`,
    'config.yaml:2:14: rules[0].match: quay.io is not in upstreams; add "quay.io: {}" there, or say wellKnown: true, or say in upstream which',
  ],
  [
    `rules:\n  - { match: quay.io, upstream: a.b, serve: cache }`,
    'config.yaml:2:33: rules[0].upstream: a.b is not in upstreams; add "a.b: {}" there',
  ],
  [
    `rules:\n  - { match: { prefix: team }, serve: cache }`,
    'config.yaml:2:5: rules[0]: "prefix team" does not say which registry answers; add upstream: HOST',
  ],
  [
    `wellKnown: true\nrules:\n  - { match: "*", serve: redirect, freshFor: 1h }`,
    "config.yaml:3:46: rules[0].freshFor: is for serve: cache",
  ],
  [
    `wellKnown: true\nrules:\n  - { match: "*", serve: cache }\n  - { match: "*", upstream: quay.io, serve: cache }`,
    'config.yaml:4:14: rules[1].match: rule "*" (rules[1]) matches what "*" (rules[0]) matches, and nothing says which comes first; remove one or add ns, host or prefix (the other one is at config.yaml:3)',
  ],
  [
    `wellKnown: true\nrules:\n  - { match: quay.io, serve: cache }\n  - { match: { ns: quay.io }, serve: cache }`,
    'config.yaml:4:14: rules[1].match: rule "ns quay.io" (rules[1]) matches what "quay.io" (rules[0]) matches',
  ],
  [
    `wellKnown: true\nrules:\n  - { id: a, match: quay.io, serve: cache }\n  - { id: a, match: gcr.io, serve: cache }`,
    'config.yaml:4:11: rules[1].id: "a" is the id of another rule too',
  ],
  [
    `${served}\nupstreams:\n  a.b: { credentials: docker-config }`,
    "config.yaml:3:23: upstreams.a.b.credentials: what a.b gives is private, as it is pulled from with credentials, and there are no users to serve it to: add auth, or public: true if",
  ],
  [
    `${served}\nupstreams:\n  a.b: { public: false }`,
    "config.yaml:3:18: upstreams.a.b.public: false means nothing without credentials",
  ],
  [
    `rules: [{ match: A.B:443, serve: cache }]\nupstreams:\n  A.B:\n    credentials: { username: u, passwordFile: password }`,
    "config.yaml:4:18: upstreams.A.B.credentials: what a.b gives is private",
  ],
  [
    `upstreams:\n  a.b: { credentials: docker-config }\nrules:\n  - { match: a.b, serve: redirect }`,
    "config.yaml:4:14: rules[0].match: would redirect to a.b, which is private: use serve: cache, or say public: true",
  ],
  [
    `upstreams:\n  a.b: { credentials: docker-config }\nrules:\n  - { match: "*", serve: redirect }`,
    "config.yaml:4:14: rules[0].match: would redirect to a.b, which is private: use serve: cache, name one registry in upstream, or",
  ],
  [
    `${served}\nupstreams:\n  a.b: { url: http://10.0.0.1:5000 }`,
    "config.yaml:3:15: upstreams.a.b.url: a.b would be reached by plain HTTP; use https, or say insecure: true",
  ],
  [
    `${served}\nupstreams:\n  docker.io: {}\n  index.docker.io: {}`,
    "config.yaml:4:20: upstreams.index.docker.io: is docker.io, which is there already",
  ],
  [
    `${served}\nupstreams:\n  a.b: { region: eu-1 }`,
    "config.yaml:3:18: upstreams.a.b.region: means nothing without cloud",
  ],
  [
    `${served}\nupstreams:\n  a.b: { budget: { requests: 3 } }`,
    "config.yaml:3:18: upstreams.a.b.budget: requests and per go together",
  ],
  [
    `${served}\nupstreams:\n  a.b: { budget: { requests: 3, per: 0s } }`,
    "config.yaml:3:38: upstreams.a.b.budget.per: must be longer than 0s",
  ],
  [`${served}\nworkers: 2`, "config.yaml:2:10: workers: must be 1 where a rule caches (rules[0])"],
  [
    `${served}\nlisten: 0.0.0.0:80\nauth: { htpasswd: users }`,
    "config.yaml:3:7: auth: passwords would go over the network in the clear: add tls",
  ],
  [`${served}\nadminSocket: ${"a/".repeat(60)}s`, "config.yaml:2:14: adminSocket: /etc/periplus/a/a/"],
  [
    `${served}\nredirect:\n  buckets:\n    - { name: a, url: https://a, default: true }\n    - { name: b, url: https://b, default: true }`,
    'config.yaml:5:43: redirect.buckets[1].default: there is one default, and "a" is it',
  ],
  [
    `${served}\nredirect:\n  buckets:\n    - { name: a, url: https://a, cloud: aws }\n    - { name: a, url: https://b, cloud: gcp }`,
    'config.yaml:5:15: redirect.buckets[1].name: "a" is the name of another bucket too',
  ],
  [
    `${served}\nredirect: { buckets: [{ name: a, url: http://a.b, cloud: aws }] }`,
    "config.yaml:2:39: redirect.buckets[0].url: must be https",
  ],
  [
    `${served}\nredirect: { buckets: [{ name: a, url: "https://a?x", cloud: aws }] }`,
    "config.yaml:2:39: redirect.buckets[0].url: must have no query",
  ],
  [
    `${served}\nredirect: { buckets: [{ name: a, url: https://a, region: r }] }`,
    "config.yaml:2:58: redirect.buckets[0].region: means nothing without cloud",
  ],
  [`${served}\nredirect: { signatures: http://a.b }`, "config.yaml:2:25: redirect.signatures: must be https"],
  // the files it names
  [
    `${served}\nauth: { htpasswd: absent }`,
    "config.yaml:2:19: auth.htpasswd: absent cannot be read: there is no such file",
  ],
  [`${served}\nauth: { htpasswd: empty }`, "config.yaml:2:19: auth.htpasswd: empty is empty"],
  [`${served}\nupstreams:\n  a.b: { ca: users }`, "config.yaml:3:14: upstreams.a.b.ca: users is no PEM certificate"],
  [
    `${served}\ntls:\n  - { cert: tls.crt, key: other.key }`,
    "config.yaml:3:5: tls[0]: other.key: is not the key of tls.crt",
  ],
  [`${served}\ntls:\n  - { cert: users, key: tls.key }`, "config.yaml:3:5: tls[0]: users: is no PEM certificate"],
  [
    `${served}\ntls:\n  - { cert: tls.crt, key: absent.key }`,
    "config.yaml:3:27: tls[0].key: absent.key cannot be read",
  ],
  [
    `${served}\nredirect: { cloudRanges: users }`,
    "config.yaml:2:26: redirect.cloudRanges: users is no list of cloud ranges: not a JSON object",
  ],
])("%j has one problem, at %j", async (text, expected) => {
  const files: Files = { ...exampleFiles, "/etc/periplus/empty": "\n" };
  const problems = await problemsOf({ text, files });
  expect(problems.map((problem) => problem.replaceAll("../../etc/periplus/", "").slice(0, expected.length))).toEqual([
    expected,
  ]);
  expect(problems.join()).not.toContain("hunter2");
});

test.each([
  [{ listen: "5000" }, "command line: --listen: must be HOST:PORT such as"],
  [{ log: "xml" }, "command line: --log: must be json, text or off"],
  [{ workers: "many" }, "command line: --workers: must be a whole number from 1 to 256"],
  [{ workers: "2" }, "command line: --workers: must be 1 where a rule caches"],
  [{ upstreams: ["docker.io"] }, "command line: --upstream: must be HOST=URL"],
  [{ upstreams: ["docker.io=mirror"] }, "command line: --upstream: the URL of docker.io must be a URL such as"],
  [
    { upstreams: ["docker.io=https://u:hunter2@m"] },
    "command line: --upstream: the URL of docker.io must have no user",
  ],
  [{ upstreams: ["docker.io=http://10.0.0.1"] }, "command line: --upstream: docker.io would be reached by plain HTTP"],
])("the flags %j have one problem: %j", async (overrides, expected) => {
  const problems = await problemsOf({ overrides });
  expect(problems.map((problem) => problem.slice(0, expected.length))).toEqual([expected]);
});

test("all problems are said at once and in the order of the file, what the schema refuses beside what goes together badly", async () => {
  const problems = await problemsOf({
    text: `
listen: 0.0.0.0:5000
auth: { htpasswd: users }
upstreams:
  a.b: { credentials: docker-config, publik: true }
  c.d: { url: http://c.d }
rules:
  - { match: a.b, serve: cache }
  - { match: c.d, serve: cach }
  - { match: nowhere.example, serve: cache }
redirect:
  buckets: [{ name: x, url: https://x, cloud: ibm }]
  info: nowhere
`,
  });
  expect(problems.map((problem) => problem.split(": ").slice(0, 2).join(" "))).toEqual([
    "config.yaml:3:7 auth",
    "config.yaml:5:38 upstreams.a.b.publik",
    "config.yaml:6:15 upstreams.c.d.url",
    "config.yaml:9:26 rules[1].serve",
    "config.yaml:10:14 rules[2].match",
    "config.yaml:12:47 redirect.buckets[0].cloud",
    "config.yaml:13:9 redirect.info",
  ]);
});

test("nothing is concluded from a value that was refused", async () => {
  const broken = `
auth: users
wellKnown: sure
listen: 5000
upstreams: { a.b: { credentials: docker-config }, c.d: { credentials: x } }
rules: [{ match: "*", serve: cache }, { match: quay.io, serve: cache }]
`;
  const problems = await problemsOf({ text: broken });
  expect(problems.map((problem) => problem.split(": ")[1])).toEqual([
    "auth",
    "wellKnown",
    "listen",
    "upstreams.c.d.credentials",
  ]);
});

test("a file that cannot be read is the one problem", async () => {
  const loaded = await loadSettings({
    file: "absent.yaml",
    cwd: "/home/ann",
    env: {},
    readFile: (path) => Promise.reject(Object.assign(new Error(path), { code: "ENOENT" })),
  });
  const problem = {
    file: "absent.yaml",
    line: 0,
    column: 0,
    path: "",
    message: "cannot be read: there is no such file",
  };
  expect(loaded).toEqual({ kind: "invalid", problems: [problem] });
  expect(formatProblem(problem)).toBe("absent.yaml: cannot be read: there is no such file");
});

test("aliases are followed, but not when they multiply", async () => {
  const twice = `wellKnown: true\nrules:\n  - &r { match: quay.io, serve: cache }\n  - *r`;
  expect(await problemsOf({ text: twice })).toEqual([expect.stringContaining(':3:17: rules[1].match: rule "quay.io"')]);
  const levels = Array.from({ length: 9 }, (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`);
  const laughs = await problemsOf({ text: [`l0: &l0 [a]`, ...levels].join("\n") });
  expect(laughs).toEqual([expect.stringContaining("config.yaml:1:1: has aliases that multiply")]);
  const many = await problemsOf({ text: `a: &a 1\nb: [${"*a,".repeat(101)}]` });
  expect(many).toEqual([expect.stringContaining("has more than 100 aliases")]);
});

test("no value at any key makes it throw, and every problem has a place in the text", async () => {
  const keys =
    "listen tls clients auth upstreams rules redirect match serve upstream credentials buckets region host prefix url";
  const key = fc.constantFrom(...`${keys} a.example quay.io cert budget per other`.split(" "));
  const leaf = fc.oneof(
    fc.constantFrom("*", "cache", "redirect", "any", "quay.io", "https://a", "1h", ""),
    fc.jsonValue(),
  );
  const { node } = fc.letrec<{ node: unknown; mapping: object }>((tie) => ({
    mapping: fc.dictionary(key, tie("node"), { maxKeys: 6 }),
    node: fc.oneof({ maxDepth: 4 }, leaf, tie("mapping"), fc.array(tie("node"), { maxLength: 3 })),
  }));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, node), async (value) => {
      const loaded = await load({ text: JSON.stringify(value, undefined, 1) });
      if (loaded.kind === "loaded") return;
      expect(loaded.problems.length).toBeGreaterThan(0);
      for (const { line, column, message } of loaded.problems) {
        expect(Math.min(line, column)).toBeGreaterThan(0);
        expect(message).not.toMatch(/undefined|\[object|Invalid input/);
      }
    }),
    { numRuns: 100 },
  );
}, 30_000);
