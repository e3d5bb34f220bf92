import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { blobReplies, digestOf, manifestReply } from "../../src/registry/testing/content.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../../src/registry/testing/scripted-upstream.ts";
import { type UniqueBlob, uniqueBlob } from "../../src/server/testing/unique-blob.ts";
import { until } from "../../src/server/testing/world.ts";
import { get } from "./endpoint.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { type TemporaryFolder, temporaryFolder } from "./process.ts";

// Fault F15: SIGKILL while blobs come in, at a moment that moves from the first byte of the first to after the last of the
// last. Only the upstream is scripted; the server is the program.

setDefaultTimeout(120_000);

const rounds = 20;
const sizeBytes = 3_000_000;
let upstream: ScriptedUpstream;
let storage: TemporaryFolder;

beforeAll(async () => {
  upstream = startScriptedUpstream();
  storage = await temporaryFolder("kills");
});
afterAll(async () => {
  upstream.stop();
  await storage[Symbol.asyncDispose]();
});

function start(): Promise<Periplus> {
  const upstreams = { "registry.test": { url: upstream.url } };
  return startPeriplus({ config: { storage: storage.path, upstreams, rules: [{ match: "*", serve: "cache" }] } });
}

/** Reads the first blob, then the others at once, to the end or until the server is gone, and says after each piece how many bytes have come in all. */
async function pull(periplus: Periplus, blobs: readonly UniqueBlob[], onBytes: (total: number) => void): Promise<void> {
  let total = 0;
  const one = async ({ path }: UniqueBlob): Promise<void> => {
    const answer = await get(periplus.endpoint, `/v2/registry.test/${path}`);
    for await (const piece of answer.body ?? []) onBytes((total += piece.byteLength));
  };
  const [first, ...others] = blobs;
  if (first !== undefined) {
    await one(first).catch(() => undefined);
    // What comes after the kill is about the others: the first is kept.
    await periplus.settled().catch(() => undefined);
  }
  await Promise.all(others.map((blob) => one(blob).catch(() => undefined)));
}

/** Every file of published content, with what it really holds. */
async function published(): Promise<readonly { readonly name: string; readonly digest: string }[]> {
  const folder = join(storage.path, "v1", "blobs");
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = names.filter((name) => /\/[0-9a-f]{64}$/.test(name));
  return Promise.all(
    files.map(async (name) => ({
      name: `sha256:${name.slice(-64)}`,
      digest: digestOf(await Bun.file(join(folder, name)).bytes()),
    })),
  );
}

function rows(): readonly { readonly digest: string; readonly size: number }[] {
  const index = new Database(join(storage.path, "v1", "index.db"), { readonly: true });
  const found = index.query<{ digest: string; size: number }, []>("SELECT digest, size FROM blobs").all();
  index.close();
  return found;
}

async function kill({ running }: Periplus): Promise<void> {
  running.signal("SIGKILL");
  await running.exited;
}

test("after twenty kills nothing is torn, nothing wrong is served, and what was left over is swept", async () => {
  const all: UniqueBlob[] = [];
  let complete = 0;
  for (let round = 0; round < rounds; round++) {
    const blobs = Array.from({ length: 3 }, () => uniqueBlob(sizeBytes));
    all.push(...blobs);
    for (const blob of blobs) upstream.on("GET", `/v2/${blob.path}`, blobReplies(blob.blob));
    upstream.on("GET", `/v2/b/manifests/${round}`, manifestReply(`{"round":${round}}`));
    await using periplus = await start();
    expect(await readdir(join(storage.path, "v1", "fills"))).toEqual([]);
    expect((await get(periplus.endpoint, `/v2/registry.test/b/manifests/${round}`)).status).toBe(200);
    const killAtBytes = Math.floor((round / (rounds - 1)) * sizeBytes * blobs.length);
    const killed = Promise.withResolvers<void>();
    const pulling = pull(periplus, blobs, (total) => {
      if (total >= killAtBytes) killed.resolve();
    });
    if (killAtBytes > 0) await Promise.race([killed.promise, pulling]);
    await kill(periplus);
    await pulling;
    for (const { name, digest } of await published()) expect(digest).toBe(name);
  }
  // With the upstream broken, what is served is what was held.
  for (const { path } of all) upstream.on("GET", `/v2/${path}`, { status: 500 });
  for (let round = 0; round < rounds; round++) upstream.on("GET", `/v2/b/manifests/${round}`, { status: 500 });
  await using periplus = await start();
  for (const { path, digest } of all) {
    const answer = await get(periplus.endpoint, `/v2/registry.test/${path}`);
    if (answer.status === 200) complete++;
    expect(answer.status === 200 ? digestOf(await answer.bytes()) : answer.status).toBe(
      answer.status === 200 ? digest : 502,
    );
  }
  expect(complete).toBeGreaterThan(0);
  expect(complete).toBeLessThan(all.length);
  // What a client was given is not forgotten.
  for (let round = 0; round < rounds; round++) {
    const answer = await get(periplus.endpoint, `/v2/registry.test/b/manifests/${round}`);
    expect([answer.status, await answer.text()]).toEqual([200, `{"round":${round}}`]);
  }
  await until(async () => {
    const held = new Set(rows().map(({ digest }) => digest));
    return (await published()).every(({ name }) => held.has(name));
  }, "files without a row are swept");
  const files = new Set((await published()).map(({ name }) => name));
  for (const { digest, size } of rows()) expect([files.has(digest), size]).toEqual([true, sizeBytes]);
});

test("a folder that a killed server had is had again at once, and never by two", async () => {
  await using first = await start();
  const second = await start().then(
    async (started) => {
      await started[Symbol.asyncDispose]();
      return "started";
    },
    (error: unknown) => String(error),
  );
  expect(second).toContain("another periplus has the storage folder");
  await kill(first);
  await using third = await start();
  expect((await get(third.endpoint, "/readyz")).status).toBe(200);
});
