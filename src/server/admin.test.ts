import { afterEach, beforeEach, expect, test } from "bun:test";
import { latch } from "../mirror/testing/fake-registry.ts";
import { Images } from "../mirror/keeping/testing/images.ts";
import { createWorld, type World } from "../mirror/keeping/testing/world.ts";
import { type AdminHandler, createAdmin } from "./admin.ts";

let world: World;
let admin: AdminHandler;
let reports: string[];

beforeEach(async () => {
  reports = [];
  world = await createWorld();
  admin = createAdmin({ keeping: () => world.keeping, report: (message) => reports.push(message) });
});
afterEach(() => world[Symbol.asyncDispose]());

function ask(path: string, body: unknown, method = "POST"): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return admin(new Request(`http://localhost${path}`, { method, ...(method === "POST" ? { body: text } : {}) }));
}

async function events(response: Response): Promise<readonly { readonly kind: string }[]> {
  const text = await response.text();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly kind: string });
}

test.each([
  ["/v1/cache/ls", {}, ["summary"]],
  ["/v1/cache/verify", {}, ["summary"]],
  ["/v1/cache/gc", { dryRun: true }, ["summary"]],
  ["/v1/cache/why", { references: ["quay.io/a/b:v1"] }, ["result", "summary"]],
  ["/v1/cache/rm", { references: ["quay.io/a/b:v1"] }, ["result", "summary"]],
  ["/v1/cache/refresh", { references: ["quay.io/a/b:v1"] }, ["progress", "result", "summary"]],
  ["/v1/cache/warm", { references: ["quay.io/a/b:v1"], platforms: ["linux/arm64"] }, ["progress", "result", "summary"]],
])("%s with %j is answered by its events", async (path, body, kinds) => {
  const response = await ask(path, body);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  expect((await events(response)).map(({ kind }) => kind)).toEqual(kinds);
});

test.each([
  ["/v1/cache/warm", "{", "not JSON"],
  ["/v1/cache/warm", [], "expected object"],
  ["/v1/cache/warm", {}, "references"],
  ["/v1/cache/warm", { references: [] }, "references"],
  ["/v1/cache/warm", { references: "quay.io/a" }, "references"],
  ["/v1/cache/warm", { references: ["quay.io/A"] }, "is not a reference"],
  ["/v1/cache/warm", { references: ["a".repeat(2000)] }, "references[0]"],
  ["/v1/cache/warm", { references: ["a"], platforms: ["linux"] }, "is not os/architecture"],
  ["/v1/cache/warm", { references: ["a"], platform: ["linux/arm64"] }, "platform"],
  ["/v1/cache/rm", { references: ["a"], all: "yes" }, "all"],
  ["/v1/cache/verify", { bytesPerSecond: 0 }, "bytesPerSecond"],
  ["/v1/cache/verify", { repair: 1 }, "repair"],
  ["/v1/cache/gc", { dry: true }, "dry"],
])("%s with %j is refused whole", async (path, body, words) => {
  const response = await ask(path, body);
  expect(response.status).toBe(400);
  const { errors } = (await response.json()) as { readonly errors: readonly { readonly message: string }[] };
  expect(errors[0]?.message).toContain(words);
  expect(world.registry.asked).toEqual([]);
});

test.each([
  ["/v1/cache/none", "POST", 404],
  ["/v1/cache/", "POST", 404],
  ["/v2/", "GET", 404],
  ["/v1/cache/gc", "GET", 405],
])("%s by %s is %p", async (path, method, status) => {
  expect((await ask(path, {}, method)).status).toBe(status);
});

test("what is thrown on the way is the last line, and is reported", async () => {
  const broken = { ...world.keeping, index: { counts: () => Promise.reject(new Error("disk on fire")) } };
  const failing = createAdmin({
    keeping: () => broken as unknown as World["keeping"],
    report: (message) => reports.push(message),
  });
  const response = await failing(new Request("http://localhost/v1/cache/verify", { method: "POST", body: "{}" }));
  expect(await events(response)).toEqual([
    { kind: "failure", code: "STORAGE_FAILED", message: "/v1/cache/verify could not go on: disk on fire" } as never,
  ]);
  expect(reports.join()).toContain("disk on fire");
});

test("events are made as they are read, and the operation ends when the reader leaves", async () => {
  const gate = latch();
  const images = new Images(world.registry, "a/b");
  images.manifest([images.blob("x", gate.opened)], "v1");
  images.manifest([images.blob("y")], "v2");
  const response = await ask("/v1/cache/warm", { references: ["quay.io/a/b:v1", "quay.io/a/b:v2"] });
  expect(world.registry.asked).toEqual([]);
  const reader = response.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('"progress"');
  await reader?.read();
  await reader?.cancel();
  gate.open();
  while (world.keeping.blobs.runningFills > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(world.registry.asked.filter(([, , reference]) => reference === "v2")).toEqual([]);
  expect(reports).toEqual([]);
});
