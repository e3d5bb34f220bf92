import { until } from "../../src/server/testing/world.ts";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Endpoint, get, urlOf } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { startGate } from "./gate.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { type TemporaryFolder, temporaryFolder } from "./process.ts";
import { CLIENTS, type Clients, IMAGES, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";

const PULL = { repository: "registry.test/app" };

let clients: Clients;
let upstream: Registry;
let fixtures: Fixtures;

beforeAll(async () => {
  [clients, upstream] = await Promise.all([startClients(), startRegistry()]);
  fixtures = await pushFixtures(upstream.endpoint);
});

afterAll(async () => {
  await Promise.all([clients, upstream].map((part) => part[Symbol.asyncDispose]()));
});

function start(storage: TemporaryFolder, from: Endpoint): Promise<Periplus> {
  const upstreams = { "registry.test": { url: urlOf(from) } };
  return startPeriplus({
    config: { storage: storage.path, upstreams, rules: [{ match: "*", serve: "cache", freshFor: "0s" }] },
  });
}

/** SIGKILL, as the kernel or a power cut would: nothing is closed, flushed or said. */
async function kill(periplus: Periplus): Promise<void> {
  periplus.running.signal("SIGKILL");
  await periplus.running.exited;
}

test("a server killed in the middle of a download keeps nothing torn, and what was complete", async () => {
  await using storage = await temporaryFolder("storage");
  const { app } = fixtures;
  const [small, big] = app.platforms[0]!.layers;
  await using gate = await startGate(upstream.endpoint, big!.digest);
  await using first = await start(storage, gate.endpoint);
  await get(first.endpoint, `/v2/registry.test/app/blobs/${small!.digest}`).then((answer) => answer.bytes());
  await first.settled();
  const pulling = clients.pull("crane", first.endpoint, app, PULL);
  await gate.reached;
  await kill(first);
  expect(await pulling).toMatchObject({ kind: "refused" });
  await using alone = await start(storage, { host: "127.0.0.1:9", scheme: "http" });
  expect(await readdir(join(storage.path, "v1", "fills"))).toEqual([]);
  expect((await get(alone.endpoint, `/v2/registry.test/app/blobs/${small!.digest}`)).status).toBe(200);
  expect((await get(alone.endpoint, `/v2/registry.test/app/blobs/${big!.digest}`)).status).toBe(502);
  await kill(alone);
  await using second = await start(storage, upstream.endpoint);
  await clients.expectPull("crane", second.endpoint, app, PULL);
});

test("a server that is told to stop lets the pull that runs finish", async () => {
  await using storage = await temporaryFolder("storage");
  const { app } = fixtures;
  await using gate = await startGate(upstream.endpoint, app.platforms[0]!.layers[1]!.digest);
  await using periplus = await start(storage, gate.endpoint);
  const pulling = clients.pull("containerd", periplus.endpoint, app, PULL);
  await gate.reached;
  const stopped = periplus.running.stop();
  await until(async () => (await get(periplus.endpoint, "/readyz")).status === 503, "it says that it stops");
  gate.open();
  expect(await pulling).toMatchObject({ kind: "pulled", digest: app.manifest.digest });
  expect(await stopped).toBe(0);
}, 60_000);

test("a server killed and started again serves what it held while the upstream is gone", async () => {
  await using storage = await temporaryFolder("storage");
  await using first = await start(storage, upstream.endpoint);
  for (const name of IMAGES) {
    const image = fixtures[name];
    await clients.expectPull("crane", first.endpoint, image, { repository: `registry.test/${image.repository}` });
  }
  await first.settled();
  await kill(first);
  await upstream.running.stop();
  await using second = await start(storage, upstream.endpoint);
  for (const client of CLIENTS) await clients.expectPull(client, second.endpoint, fixtures.app, PULL);
  for (const name of ["appDocker", "tool"] as const) {
    const image = fixtures[name];
    await clients.expectPull("oras", second.endpoint, image, { repository: `registry.test/${image.repository}` });
  }
});
