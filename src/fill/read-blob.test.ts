import { expect, test } from "bun:test";
import { blob } from "../copy/testing/images.ts";
import type { Answer, BlobStream } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import { readBlob } from "./read-blob.ts";

const { bytes, named } = blob("periplus ", 1000);

/** What comes from a byte on, up to some byte, and then the end or an error. */
function stream(startByte: number, endByte = bytes.length, end: "end" | "cut" = "end"): Answer<BlobStream> {
  const chunks = [bytes.slice(startByte, endByte)];
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (end === "end") controller.close();
      else controller.error(new Error("cut"));
    },
  });
  return { kind: "found", body, startByte, sizeBytes: bytes.length };
}

interface Read {
  readonly answer: Awaited<ReturnType<typeof readBlob>>;
  readonly opened: readonly number[];
  readonly took: Uint8Array;
}

async function read(
  open: (startByte: number) => Answer<BlobStream> | Promise<Answer<BlobStream>>,
  { sizeBytes = named.size, signal = new AbortController().signal } = {},
): Promise<Read> {
  const opened: number[] = [];
  const took: Uint8Array[] = [];
  const reading = {
    digest: named.digest,
    sizeBytes,
    open: async (startByte: number) => {
      opened.push(startByte);
      return await open(startByte);
    },
    signal,
  };
  const answer = await readBlob(reading, async (chunk) => void took.push(chunk));
  return { answer, opened, took: Buffer.concat(took) };
}

test.each<[string, (startByte: number) => Answer<BlobStream>, readonly number[]]>([
  ["in one go", (startByte) => stream(startByte), [0]],
  ["cut, and read on", (startByte) => stream(startByte, startByte + 400, "cut"), [0, 400, 800]],
  ["ended early, and read on", (startByte) => stream(startByte, startByte + 600), [0, 600]],
  ["from a source that always begins at the first byte", (startByte) => stream(0, startByte + 500), [0, 500]],
])("right bytes, %s", async (_, open, opened) => {
  const { answer, took, ...rest } = await read(open);
  expect([answer, rest.opened]).toEqual([undefined, opened]);
  expect(new Uint8Array(took)).toEqual(bytes);
});

test("a source that makes no progress is opened four times", async () => {
  const { answer, opened } = await read((startByte) => stream(startByte, Math.min(startByte + 1, 10)));
  expect(answer).toMatchObject({
    reason: "failed",
    message: `${named.digest} ended at byte 10 of 1000, again and again`,
  });
  expect(opened.filter((startByte) => startByte === 10)).toHaveLength(4);
});

test("more than there should be is not read further", async () => {
  let gave = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(bytes.slice(0, (gave += 100) && 100)),
  });
  const { answer, took } = await read(() => ({ kind: "found", body: endless, startByte: 0, sizeBytes: undefined }));
  expect(answer).toMatchObject({ reason: "wrong-bytes" });
  expect([took.byteLength <= 1000, gave < 1500]).toEqual([true, true]);
});

test.each<[string, Answer<BlobStream>, object]>([
  ["what is not there", { kind: "absent" }, { kind: "absent" }],
  ["what cannot be had", unavailable("denied", "no"), { reason: "denied" }],
  ["a source that begins behind", stream(5), { reason: "refused" }],
])("%s is said", async (_, answer, expected) => {
  expect((await read(() => answer)).answer).toMatchObject(expected);
});

test("it stops when it is told to, also in the middle of a chunk that never comes", async () => {
  const stop = new AbortController();
  const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: () => new Promise(() => stop.abort()) });
  const source: Answer<BlobStream> = { kind: "found", body: silent, startByte: 0, sizeBytes: undefined };
  expect((await read(() => source, { signal: stop.signal })).answer).toMatchObject({ reason: "cancelled" });
});
