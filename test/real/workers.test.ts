import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { until } from "../../src/server/testing/world.ts";
import { get } from "./endpoint.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";

// A redirector of several processes on one port. Each request is a connection of its own, so that they take turns.

const count = 3;
const rules = [{ match: "*", upstream: "registry.test", serve: "redirect" }];

let periplus: Periplus;
beforeAll(async () => {
  periplus = await startPeriplus({ config: configOf("https://before.test"), args: ["--workers", String(count)] });
});
afterAll(async () => periplus[Symbol.asyncDispose]());

function configOf(url: string): { readonly [key: string]: unknown } {
  return { storage: undefined, upstreams: { "registry.test": { url } }, rules };
}

async function ask(path: string): Promise<Response> {
  return get(periplus.endpoint, path, { headers: { Connection: "close" } });
}

async function locationOf(): Promise<string | null> {
  return (await ask("/v2/pause/manifests/3.9")).headers.get("location");
}

/** A figure of `/metrics` as it stands in the text. */
async function metric(line: RegExp): Promise<number> {
  return Number(line.exec(await (await ask("/metrics")).text())?.[1]);
}

const redirects = /^periplus_requests_total\{decision="redirect",status="307"\} (\d+)$/m;

async function workers(): Promise<readonly number[]> {
  const { pid } = periplus.running;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.trim().split(" ").filter(Boolean).map(Number);
}

test("all of them answer, and any of them tells the metrics of all", async () => {
  expect((await workers()).length).toBe(count);
  const locations = await Promise.all(Array.from({ length: 60 }, locationOf));
  expect(new Set(locations)).toEqual(new Set(["https://before.test/v2/pause/manifests/3.9"]));
  for (let i = 0; i < 2 * count; i++) expect(await metric(redirects)).toBe(60);
});

/** Kills one, and waits until another has been started for it: that one is far from serving then. */
async function replaceOne(): Promise<void> {
  const [killed] = await workers();
  process.kill(killed!, "SIGKILL");
  await until(async () => {
    const now = await workers();
    return now.length === count && !now.includes(killed!);
  }, "another is started");
}

test("one that is killed is started again, and a reload reaches all of them, also that one", async () => {
  await replaceOne();
  await periplus.configure(configOf("https://after.test"));
  periplus.running.signal("SIGHUP");
  await until(async () => {
    const locations = await Promise.all(Array.from({ length: 20 }, locationOf));
    return locations.every((location) => location === "https://after.test/v2/pause/manifests/3.9");
  }, "all have read the file again");
  await until(async () => (await metric(/^periplus_rules\{\} (\d+)$/m)) > 0, "metrics are told");
  expect((await workers()).length).toBe(count);
});

test("told to stop, all end, also one that was just started, none is started any more, and the whole ends with 0", async () => {
  await replaceOne();
  const [killed] = await workers();
  process.kill(killed!, "SIGKILL");
  await until(async () => (await workers()).length < count, "it is gone");
  expect(await periplus.running.stop()).toBe(0);
});
