import { afterEach, expect, test } from "bun:test";
import type { CallLimits } from "./remote.ts";
import { clientOf, type TestClient } from "./testing/client.ts";
import { manifestReply, repository, tag } from "./testing/content.ts";
import type { Script, ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";

let upstream: ScriptedUpstream;
afterEach(() => upstream.stop());

const path = "/v2/kube/pause/manifests/3.9";
const good = manifestReply("{}");
const busy: ScriptedReply = { status: 429, headers: { "Retry-After": "30" } };

function start(script: Script): TestClient {
  upstream = startScriptedUpstream();
  upstream.on("GET", path, script);
  return clientOf(upstream.url);
}

async function get({ registry }: TestClient, limits: CallLimits): Promise<string> {
  const answer = await registry.getManifest(repository("kube/pause"), tag("3.9"), limits);
  return answer.kind === "unavailable" ? answer.reason : answer.kind;
}

test.each<[string, ScriptedReply, number]>([
  ["429", busy, 30_000],
  ["429 without a time", { status: 429 }, 10_000],
  ["429 with no time at all", { status: 429, headers: { "Retry-After": "0" } }, 1000],
  ["503 with a time", { status: 503, headers: { "Retry-After": "30" } }, 30_000],
])("%s is waited out, and no shorter", async (_, reply, pauseMs) => {
  const client = start([reply, good]);
  const told: string[] = [];
  const answer = get(client, { ...client.limits, patienceMs: 60_000, onWait: (_ms, why) => told.push(why) });
  await client.clock.untilDueIn(pauseMs);
  expect(told).toEqual(["asked"]);
  client.clock.advance(pauseMs - 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(upstream.requests.length).toBe(1);
  client.clock.advance(1);
  expect(await answer).toBe("found");
});

test("an allowance that is spent is waited for, and so is our own budget", async () => {
  const spent = { ...good, headers: { ...good.headers, "RateLimit-Remaining": "0", "RateLimit-Reset": "30" } };
  const client = start([spent, good]);
  const limits = { ...client.limits, timeoutMs: 7000, patienceMs: 60_000 };
  expect(await get(client, limits)).toBe("found");
  const second = get(client, limits);
  await client.clock.untilDueIn(30_000);
  client.clock.advance(30_000);
  expect(await second).toBe("found");
  upstream.on("GET", path, good);
  const bounded = clientOf(upstream.url, { upstream: { budget: { requests: 1, perMs: 5000, concurrent: 4 } } });
  expect(await get(bounded, limits)).toBe("found");
  const third = get(bounded, limits);
  await bounded.clock.untilDueIn(5000);
  bounded.clock.advance(5000);
  expect(await third).toBe("found");
});

test("patience ends before a pause that is longer than what is left of it", async () => {
  const client = start(busy);
  const answer = get(client, { ...client.limits, patienceMs: 59_000 });
  await client.clock.untilDueIn(30_000);
  client.clock.advance(30_000);
  expect(await answer).toBe("rate-limited");
  expect([upstream.requests.length, client.clock.pending()]).toEqual([2, 0]);
});

test("without patience it is an answer at once", async () => {
  const client = start(busy);
  expect(await get(client, client.limits)).toBe("rate-limited");
});

test("a caller who goes waits no longer", async () => {
  const client = start(busy);
  const caller = new AbortController();
  const answer = get(client, { signal: caller.signal, timeoutMs: 5000, patienceMs: 60_000 });
  await client.clock.untilDueIn(30_000);
  caller.abort();
  expect(["cancelled", "rate-limited"]).toContain(await answer);
  expect([upstream.requests.length, client.clock.pending()]).toEqual([1, 0]);
});

test("what was not asked because the registry had failed is asked when it may be", async () => {
  const client = start({ status: 500 });
  for (let i = 0; i < 2; i++) await get(client, client.limits);
  upstream.on("GET", path, good);
  const asked = upstream.requests.length;
  const told: string[] = [];
  const answer = get(client, { ...client.limits, patienceMs: 60_000, onWait: (_ms, why) => told.push(why) });
  await client.clock.untilDueIn(1000);
  expect(told).toEqual(["failing"]);
  expect(upstream.requests.length).toBe(asked);
  client.clock.advance(1000);
  expect(await answer).toBe("found");
});
