import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { digestOf } from "../../src/registry/testing/content.ts";
import { listen } from "../../src/server/testing/listen.ts";
import { RawConnection, requestText } from "../../src/server/testing/raw-connection.ts";
import { uniqueBlob } from "../../src/server/testing/unique-blob.ts";
import { createWorld, settled } from "../../src/server/testing/world.ts";

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
