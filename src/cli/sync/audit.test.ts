import { afterEach, beforeEach, expect, test } from "bun:test";
import { LoopbackRegistry } from "../copy/testing/loopback-registry.ts";
import { linesOf, run } from "../copy/testing/run.ts";
import { digestAt, holdImage } from "./testing/images.ts";

let from: LoopbackRegistry;
let [one, two]: readonly [LoopbackRegistry, LoopbackRegistry] = [undefined!, undefined!];

beforeEach(() => {
  from = new LoopbackRegistry();
  [one, two] = [new LoopbackRegistry(), new LoopbackRegistry()];
});
afterEach(async () => {
  for (const registry of [from, one, two]) await registry[Symbol.asyncDispose]();
});

function signatureTag(digest: string): string {
  return `sha256-${digest.slice("sha256:".length)}.sig`;
}

function rowsOf(lines: ReturnType<typeof linesOf>): readonly string[] {
  const names = [from, one, two].map(({ host }) => host);
  const short = (name: unknown): string =>
    names.reduce((text, host, at) => text.replace(host, "ABC"[at] ?? ""), typeof name === "string" ? name : "-");
  return lines
    .filter(({ kind }) => kind === "result")
    .map(({ state, source, target }) => `${String(state)} ${short(source)} ${short(target)}`);
}

test("a repository at two targets: each image and its signature, by digest; nothing is written", async () => {
  for (const tag of ["v1", "v2", "v3", "v4"]) holdImage(from, `a/b:${tag}`);
  for (const tag of ["v1", "v2", "v3"]) {
    const signature = signatureTag(digestAt(from, `a/b:${tag}`) ?? "");
    holdImage(from, `a/b:${signature}`);
    if (tag !== "v2") holdImage(one, `x:${signature}`, { text: tag === "v1" ? `a/b:${signature}` : "forged" });
  }
  for (const tag of ["v1", "v2", "v3"]) holdImage(one, `x:${tag}`, { text: `a/b:${tag}` });
  holdImage(two, "y:v1", { text: "another" });
  holdImage(one, "x:old");
  const chosen = `sync:\n  - { from: ${from.host}/a/b, to: ${one.host}/x, tags: { match: ^v } }\n  - { from: ${from.host}/a/b:v1, to: ${two.host}/y }\n`;
  const ran = await run(["audit", "-f", "sync.yaml", "-o", "json"], { readFile: () => Promise.resolve(chosen) });
  expect(rowsOf(linesOf(ran))).toEqual([
    "same A/a/b:v1 B/x:v1",
    "differs A/a/b:v1 C/y:v1",
    "signatures-missing A/a/b:v2 B/x:v2",
    "signatures-differ A/a/b:v3 B/x:v3",
    "missing A/a/b:v4 B/x:v4",
    "extra - B/x:old",
  ]);
  expect(ran.status).toBe(3);
  expect([...from.requests, ...one.requests, ...two.requests].every((request) => /^(GET|HEAD) /.test(request))).toBe(
    true,
  );
});

test("SRC TARGET…: a whole repository, one image, and the table", async () => {
  holdImage(from, "a/b:v1");
  for (const [registry, name] of [
    [one, "x:v1"],
    [two, "z:v1"],
  ] as const)
    holdImage(registry, name, { text: "a/b:v1" });
  const words = ["audit", `${from.host}/a/b`, `${one.host}/x`, `${two.host}/z`];
  const ran = await run(words);
  expect([ran.status, ran.stderr]).toEqual([0, "2 images: 2 same\n"]);
  expect(ran.stdout).toMatch(
    /^STATE +DIGEST +AT THE TARGET +REFERRERS +SOURCE +TARGET\nsame +sha256:\w{12} +sha256:\w{12} +0 /,
  );
  holdImage(two, "z:w");
  expect(await run(words)).toMatchObject({ status: 3 });
  expect(await run(["audit", `${from.host}/a/b:v1`, `${two.host}/z`])).toMatchObject({ status: 0 });
});

test("exit statuses: drift, no source, unknown, typed wrongly", async () => {
  holdImage(from, "a/b:v1");
  const audit = async (...words: readonly string[]): Promise<number> => (await run(["audit", ...words])).status;
  expect(await audit(`${from.host}/a/b`, `${one.host}/x`)).toBe(3);
  expect(await audit(`${from.host}/a/b:v9`, `${one.host}/x`)).toBe(4);
  expect(await audit(`${from.host}/none`, `${one.host}/x`)).toBe(4);
  expect(await audit(`${from.host}/a/b`, "127.0.0.1:9/x")).toBe(5);
  expect(await audit(`${from.host}/a/b`)).toBe(2);
  expect(await audit(`${from.host}/A/b`, `${one.host}/x`)).toBe(2);
  await using silent = new LoopbackRegistry({
    instead: (request) => (request.includes("/referrers/") ? new Response(null, { status: 403 }) : undefined),
  });
  holdImage(silent, "a/b:v1");
  holdImage(one, "x:v1", { text: "a/b:v1" });
  expect(await audit(`${silent.host}/a/b:v1`, `${one.host}/x`)).toBe(5);
});
