import { expect, test } from "bun:test";
import { describe } from "../testing/describe.ts";
import { inputOf, problemsOf, warningsOf } from "../testing/world.ts";

const digest = `sha256:${"0a".repeat(32)}`;

// The shapes that image-syncer's own example has.
const everything = `
quay.io/team/all: r.io/m/all
quay.io/team/one:v1.0: r.io/m/one
quay.io/team/two:v1.0,v2.0: r.io/m/two
quay.io/team/pinned@${digest}: r.io/m/pinned
quay.io/team/twice:v1.1:
  - r.io/m/twice1
  - r.io/m/twice2:$NEW
quay.io/team/some:/a+/: r.io/m/some
nginx:1,2: r.io/m/nginx:one,two
`;

test("a whole file comes down to entries", async () => {
  const { entries, format } = await inputOf({ text: everything, env: { NEW: "v9" } });
  expect(entries.map(describe)).toEqual([
    "quay.io/team/all:[*] -> r.io/m/all",
    "quay.io/team/one:[v1.0] -> r.io/m/one",
    "quay.io/team/two:[v1.0 | v2.0] -> r.io/m/two",
    `quay.io/team/pinned@${digest} -> r.io/m/pinned`,
    "quay.io/team/twice:[v1.1] -> r.io/m/twice1",
    "quay.io/team/twice:v1.1 -> r.io/m/twice2:v9",
    "quay.io/team/some:[/a+/] -> r.io/m/some",
    "docker.io/library/nginx:1 -> r.io/m/nginx:one",
    "docker.io/library/nginx:2 -> r.io/m/nginx:two",
  ]);
  expect(format).toBe("image-syncer");
  expect(entries.map(({ at }) => `${at.line} ${at.path}`).slice(4, 6)).toEqual([
    "7 quay.io/team/twice:v1.1[0]",
    "8 quay.io/team/twice:v1.1[1]",
  ]);
});

test("the older file has the logins too", async () => {
  const { registries } = await inputOf({
    text: `
auth:
  quay.io: { username: "\${WHO}", password: $SECRET, insecure: true }
  r.io: { username: ann, password: x }
images:
  quay.io/a/b: r.io/b
`,
    env: { WHO: "bob", SECRET: "s" },
  });
  const found = [...registries].map(([host, { upstream, login, triesPlainHttp }]) => {
    return [
      host,
      upstream.insecure,
      triesPlainHttp,
      login?.kind === "password" ? `${login.username}:${login.password()}` : "",
    ];
  });
  expect(found).toEqual([
    ["quay.io", true, true, "bob:s"],
    ["r.io", false, false, "ann:x"],
  ]);
});

test("a registry has one login: its own before that of a path", async () => {
  const text = (auth: string): string => `auth: { ${auth} }\nimages: { quay.io/a/b: r.io/b }`;
  const both = text("quay.io/a: { username: a, password: a }, quay.io: { username: q, password: q }");
  const paths = text("quay.io/a: { username: a, password: a }, quay.io/b: { username: b, password: b }");
  const user = async (file: string): Promise<unknown> => {
    const { registries } = await inputOf({ text: file });
    return [...registries].find(([host]) => host === "quay.io")?.[1].login;
  };
  expect(await user(both)).toMatchObject({ username: "q" });
  expect(await user(paths)).toMatchObject({ username: "a" });
  expect(await warningsOf({ text: both })).toEqual([
    "sync.yaml:1:20: auth.quay.io/a: is NOT used: a registry has one login here, and quay.io has another",
  ]);
  expect(await warningsOf({ text: paths })).toEqual([
    "sync.yaml:1:20: auth.quay.io/a: is used for all of quay.io: a registry has one login here",
    "sync.yaml:1:61: auth.quay.io/b: is NOT used: a registry has one login here, and quay.io has another",
  ]);
});

test.each([
  ["quay.io/a/b: r.io/b:1", "sync.yaml:1:14: quay.io/a/b: must have as many tags in its target as in its source"],
  ["quay.io/a/b:1,2: r.io/b:1", "sync.yaml:1:18: quay.io/a/b:1,2: must have as many tags"],
  ["quay.io/a/b:/(/: r.io/b", 'sync.yaml:1:18: quay.io/a/b:/(/: has "quay.io/a/b:/(/", which is no image'],
  ["quay.io/a/b: r.io/b:/a/", "sync.yaml:1:14: quay.io/a/b: has a regular expression in its target"],
  ["quay.io/a/B: r.io/b", 'sync.yaml:1:14: quay.io/a/B: has "quay.io/a/B", which is no image'],
  ["quay.io/a/b:1,-: r.io/b", 'sync.yaml:1:18: quay.io/a/b:1,-: has "quay.io/a/b:1,-", which is no image: one of'],
  ["quay.io/a/b: r.io/$NAME", "sync.yaml:1:14: quay.io/a/b: uses the variable NAME, which is not set"],
  ["quay.io/a/b: []", "sync.yaml:1:14: quay.io/a/b: must name an image"],
  [`quay.io/a/b: r.io/b@${digest}`, "sync.yaml:1:14: quay.io/a/b: has a digest in its target that is not the source's"],
  ["auth: { 'a b': {} }\nimages: { quay.io/a/b: r.io/b }", "sync.yaml:1:9: auth.a b: is no registry's host"],
  [
    "auth: { quay.io: { user: x } }\nimages: { quay.io/a/b: r.io/b }",
    "sync.yaml:1:20: auth.quay.io.user: is no known key; those known here are",
  ],
  [
    "images: { quay.io/a/b: r.io/b }\nproc: 3",
    "sync.yaml:2:1: proc: is no known key; those known here are auth, images",
  ],
  [
    "quay.io/a/b:1: r.io/x\nquay.io/c/d:1: r.io/x",
    "sync.yaml:2:16: quay.io/c/d:1: puts quay.io/c/d:1 at r.io/x:1, where quay.io/a/b:1 (sync.yaml:1)",
  ],
])("%j has one problem, at %j", async (text, expected) => {
  const problems = await problemsOf({ text });
  expect(problems.map((problem) => problem.slice(0, expected.length))).toEqual([expected]);
});
