import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { digestOf } from "../../src/registry/testing/content.ts";
import { startScriptedUpstream } from "../../src/registry/testing/scripted-upstream.ts";
import { listen } from "../../src/server/testing/listen.ts";
import { RawConnection, requestText } from "../../src/server/testing/raw-connection.ts";
import { uniqueBlob } from "../../src/server/testing/unique-blob.ts";
import { createWorld, settled } from "../../src/server/testing/world.ts";
import { get } from "./endpoint.ts";
import { startPeriplus } from "./periplus.ts";

// Threat T22: clients that take for ever. Times are the runtime's own, so this takes some seconds of real time.

setDefaultTimeout(60_000);

const idleSeconds = 4;

test("half requests, headers byte by byte and readers that stand still are dropped, slow readers are not", async () => {
  await using world = await createWorld();
  await using port = listen(world.app, { idleSeconds });
  const blob = uniqueBlob(24_000_000);
  world.upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob });
  const pull = requestText("GET", `/v2/registry.test/${blob.path}`);

  const half = await RawConnection.open(port.port);
  half.send("GET /healthz HTTP/1.1\r\nHost: cac");
  const trickling = await RawConnection.open(port.port);
  trickling.send("GET /healthz HTTP/1.1\r\nHost: cache.test\r\nX-Slow: ");
  const trickle = setInterval(() => trickling.send("a"), 500);
  const still = await RawConnection.open(port.port);
  still.pause();
  still.send(pull);
  const slow = await RawConnection.open(port.port);
  slow.send(pull);
  // Reads for a moment in every second, for longer than anybody may stand still.
  let turns = 0;
  const turn = setInterval(() => (turns++ % 10 === 0 ? slow.resume() : slow.pause()), 100);

  await Promise.all([half.ended, trickling.ended]);
  clearInterval(trickle);
  clearInterval(turn);
  slow.resume();
  const answer = await slow.answer();
  expect([answer.isWhole, digestOf(answer.body)]).toEqual([true, blob.digest]);
  // The one that stood still is gone too: nothing of the blob is open any more.
  await settled(world.blobs);
  expect(openDrafts(world.storage.layout.fills)).toEqual([]);
  still.resume();
  expect((await still.answer()).isWhole).toBe(false);
});

test.each(["cold", "held"])("a reader that stands still costs at most 256 KiB of memory: %s (F27)", async (state) => {
  const upstream = startScriptedUpstream();
  const upstreams = { "registry.test": { url: upstream.url } };
  await using periplus = await startPeriplus({ config: { upstreams, rules: [{ match: "*", serve: "cache" }] } });
  /** The most memory at once while so many stand still, after the first bytes of a blob, and one more pulls it whole. */
  const peakWith = async (count: number): Promise<number> => {
    const blob = uniqueBlob(64_000_000);
    const path = `/v2/registry.test/${blob.path}`;
    const pull = async (): Promise<string> => digestOf(await (await get(periplus.endpoint, path)).bytes());
    upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob });
    if (state === "held") expect(await pull()).toBe(blob.digest);
    await periplus.settled();
    resetPeak(periplus.running.pid);
    const still = await Promise.all(
      Array.from({ length: count }, async () => {
        const connection = await RawConnection.open(Number(periplus.endpoint.host.split(":")[1]));
        connection.send(requestText("GET", path));
        connection.pause();
        return connection;
      }),
    );
    expect(await pull()).toBe(blob.digest);
    const peak = peakBytes(periplus.running.pid);
    for (const connection of still) connection.close();
    return peak;
  };
  // What a download costs by itself, the first time and later.
  const alone = Math.max(await peakWith(1), await peakWith(1));
  const readers = 400;
  expect((await peakWith(readers)) - alone).toBeLessThan(readers * 256 * 1024);
  upstream.stop();
});

/** Starts the peak of a process anew at what is resident now. The launchers before the program replace themselves by it. */
function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** The most memory that was resident at once since then. */
function peakBytes(pid: number): number {
  const [, kilobytes = ""] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number.parseInt(kilobytes, 10) * 1024;
}

function openDrafts(folder: string): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((name) => {
    try {
      const link = readlinkSync(`/proc/self/fd/${name}`);
      return link.startsWith(folder) ? [link] : [];
    } catch {
      return [];
    }
  });
}
