import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { get, urlOf } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { mustRun, type TemporaryFolder, temporaryFolder } from "./process.ts";
import { CLIENTS, type Clients, IMAGES, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";

const MIB = 1024 * 1024;

let clients: Clients;
let upstream: Registry;
let fixtures: Fixtures;
let disk: TemporaryFolder;
let periplus: Periplus;

/** A file system of its own (tmpfs, which takes root to mount), so that it can be full. */
async function mountDisk(size: string): Promise<TemporaryFolder> {
  const folder = await temporaryFolder("disk");
  await mustRun(["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder.path]);
  return {
    path: folder.path,
    [Symbol.asyncDispose]: async () => {
      await mustRun(["umount", "--lazy", folder.path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function cacheOf(registry: Registry): Record<string, unknown> {
  return {
    upstreams: { "registry.test": { url: urlOf(registry.endpoint) } },
    rules: [{ match: "*", serve: "cache" }],
  };
}

/** With room for the tool, but for no big layer. */
beforeAll(async () => {
  [clients, upstream, disk] = await Promise.all([startClients(), startRegistry(), mountDisk("12m")]);
  fixtures = await pushFixtures(upstream.endpoint);
  periplus = await startPeriplus({ config: { ...cacheOf(upstream), storage: disk.path } });
});

afterAll(async () => {
  await Promise.all([periplus, clients, upstream].map((part) => part[Symbol.asyncDispose]()));
  await disk[Symbol.asyncDispose]();
});

function pull(client: (typeof CLIENTS)[number], name: (typeof IMAGES)[number]): Promise<void> {
  const image = fixtures[name];
  return clients.expectPull(client, periplus.endpoint, image, { repository: `registry.test/${image.repository}` });
}

/** Leaves this many bytes. */
async function fillUp(at: string, leftBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(at);
  await writeFile(join(at, "ballast"), new Uint8Array(bavail * bsize - leftBytes));
}

test("a disk without a byte left fails no pull", async () => {
  await fillUp(disk.path, 0);
  expect((await statfs(disk.path)).bavail).toBe(0);
  for (const client of CLIENTS) for (const name of IMAGES) await pull(client, name);
  expect((await get(periplus.endpoint, "/readyz")).status).toBe(200);
}, 120_000);

test("with some room, what fits is kept, and what does not comes all the same", async () => {
  await rm(join(disk.path, "ballast"));
  for (const client of CLIENTS) await pull(client, "app");
  await pull("crane", "tool");
  const before = (await upstream.requests()).length;
  await pull("oras", "tool");
  const asked = (await upstream.requests()).slice(before);
  expect(asked.filter(({ method }) => method === "GET")).toEqual([]);
}, 120_000);

test("once there is room, everything is kept", async () => {
  await mustRun(["mount", "-o", "remount,size=200m", disk.path]);
  for (const name of IMAGES) await pull("crane", name);
  await upstream.running.stop();
  for (const client of CLIENTS) for (const name of IMAGES) await pull(client, name);
  expect((await statfs(disk.path)).bavail * (await statfs(disk.path)).bsize).toBeLessThan(200 * MIB - 40 * MIB);
}, 120_000);

test("a push that finds no room is told so, and goes through once there is", async () => {
  await using small = await mountDisk("12m");
  const config = { rules: [{ match: "*", serve: "store" }], storage: small.path };
  await using store = await startPeriplus({ config });
  const bytes = new Uint8Array(16 * MIB).fill(7);
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
  const push = async (): Promise<Response> => {
    const url = `${urlOf(store.endpoint)}/v2/team/app/blobs/uploads/`;
    const begun = await fetch(url, { method: "POST" });
    const place = new URL(begun.headers.get("location")!, url);
    place.searchParams.set("digest", digest);
    return fetch(place, { method: "PUT", body: bytes });
  };
  const refused = await push();
  expect([refused.status, await refused.json()]).toEqual([
    507,
    { errors: [{ code: "UNAVAILABLE", message: "there is no room left here to keep it", detail: null }] },
  ]);
  await mustRun(["mount", "-o", "remount,size=200m", small.path]);
  expect((await push()).status).toBe(201);
}, 120_000);

test("blobs that nobody has pulled lately make room for one that is", async () => {
  await using registry = await startRegistry();
  const { app } = await pushFixtures(registry.endpoint);
  const [amd64, arm64] = app.platforms.map(({ layers }) => layers[1]!);
  await using small = await mountDisk("30m");
  const config = { ...cacheOf(registry), storage: small.path };
  await using first = await startPeriplus({ config });
  await clients.expectPull("containerd", first.endpoint, app, { repository: "registry.test/app" });
  await first.settled();
  await first.running[Symbol.asyncDispose]();
  const index = new Database(join(small.path, "v1", "index.db"));
  index.run("UPDATE blobs SET pulled_at = 0");
  index.close();
  await using second = await startPeriplus({ config });
  await fillUp(small.path, MIB);
  const blob = (digest: string): Promise<Response> => get(second.endpoint, `/v2/registry.test/app/blobs/${digest}`);
  expect((await (await blob(arm64!.digest)).bytes()).length).toBe(arm64!.size);
  await second.settled();
  await registry.running.stop();
  expect((await (await blob(arm64!.digest)).bytes()).length).toBe(arm64!.size);
  expect((await blob(amd64!.digest)).status).toBe(502);
}, 120_000);
