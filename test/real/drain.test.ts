import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../../src/registry/testing/content.ts";
import { createLatch } from "../../src/registry/testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../../src/registry/testing/scripted-upstream.ts";
import { RawConnection, requestText } from "../../src/server/testing/raw-connection.ts";
import { uniqueBlob } from "../../src/server/testing/unique-blob.ts";
import { until } from "../../src/server/testing/world.ts";
import { get } from "./endpoint.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";

// Fault F29: a server that is told to stop. It accepts for five seconds more, so that is how long each of these takes; what
// would make it wait for its last deadline runs into this time-out.

setDefaultTimeout(20_000);

let upstream: ScriptedUpstream;
beforeAll(() => {
  upstream = startScriptedUpstream();
});
afterAll(() => upstream.stop());

function start(): Promise<Periplus> {
  const upstreams = { "registry.test": { url: upstream.url } };
  return startPeriplus({ config: { upstreams, rules: [{ match: "*", serve: "cache" }] } });
}

function portOf({ endpoint }: Periplus): number {
  return Number(endpoint.host.split(":")[1]);
}

test("it is not ready, still answers, lets pulls finish, waits for no connection that asks nothing, and ends with 0", async () => {
  const blob = uniqueBlob(2_000_000);
  const gate = createLatch();
  upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob, hold: { at: 1_000_000, until: gate.opened } });
  await using periplus = await start();
  const pull = await RawConnection.open(portOf(periplus));
  pull.send(requestText("GET", `/v2/registry.test/${blob.path}`));
  const idle = await RawConnection.open(portOf(periplus));
  idle.send(requestText("GET", "/healthz"));
  await idle.answer();
  const half = await RawConnection.open(portOf(periplus));
  half.send("GET /healthz HTTP/1.1\r\nHost: cac");
  await until(() => pull.unread.length > 900_000, "the pull runs");

  const ended = periplus.running.stop();
  await until(async () => (await get(periplus.endpoint, "/readyz")).status === 503, "it says that it stops");
  expect((await get(periplus.endpoint, "/healthz")).status).toBe(200);
  gate.open();
  const answer = await pull.answer();
  expect([answer.isWhole, digestOf(answer.body)]).toEqual([true, blob.digest]);
  expect(await ended).toBe(0);
  const log = await periplus.log();
  expect(log).toContain("accepting for 5 s, then up to 25 s for what runs");
  expect(log).not.toContain("Failure");
});

test("one that has nothing to do does not wait for anything", async () => {
  await using periplus = await start();
  await get(periplus.endpoint, "/healthz");
  expect(await periplus.running.stop()).toBe(0);
});

test("told twice, it ends at once", async () => {
  await using periplus = await start();
  periplus.running.signal("SIGTERM");
  await until(async () => (await get(periplus.endpoint, "/readyz")).status === 503, "it says that it stops");
  periplus.running.signal("SIGTERM");
  expect(await periplus.running.exited).toBe(1);
});
