import { expect, test } from "bun:test";
import type { Draft } from "./draft.ts";
import { DraftWriter } from "./draft-writer.ts";

const pieceBytes = 512 * 1024;

/** A draft in memory that counts by which way it is written; `now` may throw, as a full or slow disk does. */
function memoryDraft(now: (offset: number) => void): { draft: Draft; ways: string[]; bytes: () => string } {
  const ways: string[] = [];
  const held = new Map<number, number>();
  const keep = (pieces: readonly Uint8Array[], offset: number): void => {
    let at = offset;
    for (const piece of pieces) {
      held.set(at, piece[0] ?? 0);
      at += piece.byteLength;
    }
  };
  const unused = async (): Promise<never> => Promise.reject(new Error("not used here"));
  return {
    ways,
    bytes: () =>
      [...held]
        .toSorted(([a], [b]) => a - b)
        .map(([, first]) => first)
        .join(" "),
    draft: {
      path: "",
      write: async (pieces, offset) => {
        ways.push("thread");
        keep(pieces, offset);
      },
      writeNow: (pieces, offset) => {
        now(offset);
        ways.push("now");
        keep(pieces, offset);
      },
      read: unused,
      sync: unused,
      discard: unused,
      close: unused,
    },
  };
}

async function written(now: (offset: number) => void, pieces: number): Promise<{ ways: string[]; bytes: string }> {
  const { draft, ways, bytes } = memoryDraft(now);
  const writer = new DraftWriter(
    draft,
    async () => false,
    () => undefined,
  );
  for (let i = 0; i < pieces; i++) {
    writer.push({ startByte: i * pieceBytes, bytes: new Uint8Array(pieceBytes).fill(i + 1) });
    // A write by the other thread is over before the next piece comes.
    await Promise.resolve().then(() => undefined);
  }
  expect(await writer.settle()).toBe(true);
  expect(writer.writtenBytes).toBe(pieces * pieceBytes);
  return { ways, bytes: bytes() };
}

test("a disk that takes what it is given is written at once", async () => {
  expect(await written(() => undefined, 3)).toEqual({ ways: ["now", "now", "now"], bytes: "1 2 3" });
});

test("a write that took long sends the next ones by the other thread", async () => {
  const slow = (): void => {
    const endMs = performance.now() + 8;
    while (performance.now() < endMs);
  };
  const { ways, bytes } = await written(slow, 3);
  expect([ways[0], ways.slice(1).every((way) => way === "thread"), bytes]).toEqual(["now", true, "1 2 3"]);
});

test("what could not be written at once is written by the other thread, whole and in order", async () => {
  const once = (offset: number): void => {
    if (offset === pieceBytes) throw new Error("ENOSPC");
  };
  const { ways, bytes } = await written(once, 3);
  expect([ways.slice(0, 2), bytes]).toEqual([["now", "thread"], "1 2 3"]);
});

test("what is left below one write is written when it settles", async () => {
  const { draft, ways } = memoryDraft(() => undefined);
  const writer = new DraftWriter(
    draft,
    async () => false,
    () => undefined,
    5,
  );
  writer.push({ startByte: 5, bytes: new Uint8Array([1]) });
  expect([writer.writtenBytes, ways]).toEqual([5, []]);
  expect([await writer.settle(), writer.writtenBytes, ways]).toEqual([true, 6, ["thread"]]);
});
