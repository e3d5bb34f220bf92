import { expect, test } from "bun:test";
import { urlOf } from "./endpoint.ts";
import { digestsOf, pushFixtures } from "./fixtures.ts";
import { startGate } from "./gate.ts";
import { startPeriplus } from "./periplus.ts";
import { CLIENTS, startClients } from "./pulling.ts";
import { startRegistry } from "./registry.ts";

test("clients that pull the same at once cause one download of each blob, and late ones join what runs", async () => {
  await using clients = await startClients();
  await using upstream = await startRegistry();
  const { app } = await pushFixtures(upstream.endpoint);
  await using gate = await startGate(upstream.endpoint, app.platforms[0]!.layers[1]!.digest);
  await using periplus = await startPeriplus({
    config: { upstreams: { "registry.test": { url: urlOf(gate.endpoint) } }, rules: [{ match: "*", serve: "cache" }] },
  });
  const pull = (client: (typeof CLIENTS)[number]): Promise<void> =>
    clients.expectPull(client, periplus.endpoint, app, { repository: "registry.test/app" });
  const first = pull("crane");
  await Promise.race([gate.reached, first]);
  const late = Promise.all(CLIENTS.map(pull));
  gate.open();
  await Promise.all([first, late]);
  const asked = (await upstream.requests()).filter(({ method }) => method === "GET").map(({ target }) => target);
  const manifests = new Set(
    [app.manifest, ...app.platforms.map(({ manifest }) => manifest)].map(({ digest }) => digest),
  );
  const blobs = digestsOf(app).filter((digest) => !manifests.has(digest));
  const times = blobs.map((digest) => [digest, asked.filter((target) => target.endsWith(`/blobs/${digest}`)).length]);
  expect(times).toEqual(blobs.map((digest) => [digest, 1]));
});
