import { expect, test } from "bun:test";
import { type ByteSource, inMemory } from "./bytes.ts";
import { streamBytes } from "./stream.ts";
import { blobOf } from "./testing/images.ts";

const bytes = crypto.getRandomValues(new Uint8Array(700_000));
const { digest } = blobOf(bytes);
const never = new AbortController().signal;

/** Bytes in memory that say when they are closed, and how far they were read. */
function watched(content: Uint8Array<ArrayBuffer>): { readonly source: ByteSource; readonly log: string[] } {
  const log: string[] = [];
  const source = inMemory("a file", content);
  return {
    log,
    source: {
      ...source,
      read(offset, length) {
        log.push(`read ${offset}`);
        return source.read(offset, length);
      },
      close() {
        log.push("close");
        return Promise.resolve();
      },
    },
  };
}

test.each([
  ["whole", { startByte: 0, endByte: undefined }],
  ["from a byte on", { startByte: 600_000, endByte: undefined }],
  ["a part", { startByte: 10, endByte: 20 }],
  ["past the end", { startByte: 699_999, endByte: 900_000 }],
  ["nothing", { startByte: 700_000, endByte: undefined }],
])("bytes are streamed: %s", async (_, range) => {
  const { source, log } = watched(bytes);
  const read = await new Response(streamBytes(source, range, { signal: never, digest })).bytes();
  expect(read).toEqual(bytes.slice(range.startByte, range.endByte));
  expect(log.filter((line) => line === "close")).toEqual(["close"]);
});

test("nothing is read ahead, and a reader that leaves closes the file", async () => {
  const { source, log } = watched(bytes);
  const reader = streamBytes(source, { startByte: 0, endByte: undefined }, { signal: never, digest }).getReader();
  expect(log).toEqual([]);
  await reader.read();
  expect(log).toEqual(["read 0"]);
  await reader.cancel();
  expect(log).toEqual(["read 0", "close"]);
});

test("wrong bytes are an error before their end is handed out; a part of them cannot be checked", async () => {
  const { source, log } = watched(bytes.toReversed());
  const reader = streamBytes(source, { startByte: 0, endByte: undefined }, { signal: never, digest }).getReader();
  let handedOut = 0;
  const failure = await (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      handedOut += value.byteLength;
    }
  })().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "DIGEST_INVALID", message: expect.stringContaining("a file") });
  expect(handedOut).toBeLessThan(bytes.byteLength);
  expect(log.at(-1)).toBe("close");
  const part = streamBytes(source, { startByte: 1, endByte: undefined }, { signal: never, digest });
  expect((await new Response(part).bytes()).byteLength).toBe(699_999);
});

test("the signal ends it, and the file is closed when the read under way has ended", async () => {
  const controller = new AbortController();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { source, log } = watched(bytes);
  const slow: ByteSource = {
    ...source,
    async read(offset, length) {
      begun.resolve();
      await gate.promise;
      return source.read(offset, length);
    },
  };
  const body = streamBytes(slow, { startByte: 0, endByte: undefined }, { signal: controller.signal, digest });
  const read = body
    .getReader()
    .read()
    .catch((error: unknown) => error);
  await begun.promise;
  controller.abort();
  expect(await read).toMatchObject({ code: "STORAGE_FAILED", message: expect.stringContaining("no longer wanted") });
  expect(log).toEqual([]);
  gate.resolve();
  await new Promise(setImmediate);
  expect(log).toEqual(["read 0", "close"]);
});
