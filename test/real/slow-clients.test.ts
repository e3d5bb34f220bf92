import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
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

test("readers that stand still cost the program no memory (F27)", async () => {
  const upstream = startScriptedUpstream();
  const upstreams = { "registry.test": { url: upstream.url } };
  await using periplus = await startPeriplus({ config: { upstreams, rules: [{ match: "*", serve: "cache" }] } });
  const blob = uniqueBlob(32_000_000);
  upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob });
  const path = `/v2/registry.test/${blob.path}`;
  const warm = uniqueBlob(32_000_000);
  upstream.on("GET", `/v2/${warm.path}`, { body: warm.blob });
  await (await get(periplus.endpoint, `/v2/registry.test/${warm.path}`)).bytes();
  const before = residentBytes(periplus.running.pid);
  const still = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const connection = await RawConnection.open(Number(periplus.endpoint.host.split(":")[1]));
      connection.send(requestText("GET", path));
      connection.pause();
      return connection;
    }),
  );
  expect(digestOf(await (await get(periplus.endpoint, path)).bytes())).toBe(blob.digest);
  // Held for each of them, it would be 1.3 GB.
  expect(residentBytes(periplus.running.pid) - before).toBeLessThan(200 * 1024 * 1024);
  for (const connection of still) connection.close();
  upstream.stop();
});

/** Resident memory of a process. The launchers before the program replace themselves by it. */
function residentBytes(pid: number): number {
  const [, kilobytes = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
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
