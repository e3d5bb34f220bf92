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
let folder: TemporaryFolder;
let disk: string;
let periplus: Periplus;

/** The storage is a file system of its own (tmpfs, so this runs as root) with room for the tool, but for no big layer. */
beforeAll(async () => {
  [clients, upstream, folder] = await Promise.all([startClients(), startRegistry(), temporaryFolder("disk")]);
  fixtures = await pushFixtures(upstream.endpoint);
  disk = join(folder.path, "disk");
  await mustRun(["mkdir", disk]);
  await mustRun(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk]);
  periplus = await startPeriplus({
    config: {
      storage: disk,
      upstreams: { "registry.test": { url: urlOf(upstream.endpoint) } },
      rules: [{ match: "*", serve: "cache" }],
    },
  });
});

afterAll(async () => {
  await Promise.all([periplus, clients, upstream].map((part) => part[Symbol.asyncDispose]()));
  await mustRun(["umount", disk]);
  await folder[Symbol.asyncDispose]();
});

function pull(client: (typeof CLIENTS)[number], name: (typeof IMAGES)[number]): Promise<void> {
  const image = fixtures[name];
  return clients.expectPull(client, periplus.endpoint, image, { repository: `registry.test/${image.repository}` });
}

async function fillUp(): Promise<void> {
  const { bavail, bsize } = await statfs(disk);
  await writeFile(join(disk, "ballast"), new Uint8Array(bavail * bsize));
}

test("a disk without a byte left fails no pull", async () => {
  await fillUp();
  expect((await statfs(disk)).bavail).toBe(0);
  for (const client of CLIENTS) for (const name of IMAGES) await pull(client, name);
  expect((await get(periplus.endpoint, "/readyz")).status).toBe(200);
}, 120_000);

test("with some room, what fits is kept, and what does not comes all the same", async () => {
  await rm(join(disk, "ballast"));
  for (const client of CLIENTS) await pull(client, "app");
  await pull("crane", "tool");
  const before = (await upstream.requests()).length;
  await pull("oras", "tool");
  const asked = (await upstream.requests()).slice(before);
  expect(asked.filter(({ method }) => method === "GET")).toEqual([]);
}, 120_000);

test("once there is room, everything is kept", async () => {
  await mustRun(["mount", "-o", "remount,size=200m", disk]);
  for (const name of IMAGES) await pull("crane", name);
  await upstream.running.stop();
  for (const client of CLIENTS) for (const name of IMAGES) await pull(client, name);
  expect((await statfs(disk)).bavail * (await statfs(disk)).bsize).toBeLessThan(200 * MIB - 40 * MIB);
}, 120_000);
