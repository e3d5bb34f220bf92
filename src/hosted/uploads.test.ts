import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync, readlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "../reference/repository.ts";
import type { Body } from "./session.ts";
import { bodyOf, createHostedWorld, digestOf, errorOf, type HostedWorld, keeperOf } from "./testing/hosted-world.ts";
import type { EndedUpload, UploadKeeper, UploadPart, Uploads } from "./uploads.ts";

const repository = "team/app" as Repository;
const other = "team/web" as Repository;

let world: HostedWorld;
beforeEach(async () => {
  world = await createHostedWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const part = (body: Body | string, startByte?: number): UploadPart => ({
  startByte,
  body: typeof body === "string" ? bodyOf([body]) : body,
});

/** For what must not be kept. */
const keepsNothing: UploadKeeper = {
  findHeld: async () => undefined,
  keep: async () => Promise.reject(new Error("this was not to be kept")),
};

/** Ends an upload with its last bytes; it becomes a blob of the repository. */
function end(id: string, last: string, whole: string, uploads: Uploads = world.uploads): Promise<EndedUpload> {
  const digest = digestOf(whole);
  return uploads.end({ repository, id, digest }, part(last), keeperOf(world, repository, digest));
}

/** Files of uploads that this process has open. */
function openFiles(): number {
  const { uploads } = world.layout;
  return readdirSync("/proc/self/fd").filter((fd) => {
    const path = readlinkOf(`/proc/self/fd/${fd}`);
    return path?.startsWith(uploads) === true;
  }).length;
}

function readlinkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

test("an upload grows body by body and is kept", async () => {
  const id = await world.uploads.begin(repository);
  expect(await world.uploads.state(repository, id)).toEqual({ kind: "open", sizeBytes: 0 });
  expect(await world.uploads.append(repository, id, part("abc"))).toEqual({ kind: "open", sizeBytes: 3 });
  expect(await world.uploads.append(repository, id, part("def", 3))).toEqual({ kind: "open", sizeBytes: 6 });
  expect(await end(id, "ghi", "abcdefghi")).toEqual({ kind: "kept", sizeBytes: 9 });
  expect(await world.uploads.state(repository, id)).toEqual({ kind: "unknown" });
  expect((await world.blobs.find(repository, digestOf("abcdefghi")))?.sizeBytes).toBe(9);
  expect([readdirSync(world.layout.uploads), openFiles()]).toEqual([[], 0]);
});

test.each(["", "f".repeat(32), "../index.db", "x".repeat(128)])(
  "an id that nobody was given, %p, is unknown",
  async (id) => {
    for (const marked of [id, `${id}-${(await world.uploads.begin(repository)).slice(-16)}`])
      expect(await world.uploads.state(repository, marked)).toEqual({ kind: "unknown" });
  },
);

test("an upload is unknown in every repository but its own, whatever is done with it", async () => {
  const id = await world.uploads.begin(repository);
  await world.uploads.append(repository, id, part("abc"));
  const digest = digestOf("abc");
  expect([
    await world.uploads.state(other, id),
    await world.uploads.append(other, id, part("evil")),
    await world.uploads.cancel(other, id),
    await world.uploads.end({ repository: other, id, digest }, part(""), keepsNothing),
  ]).toEqual([{ kind: "unknown" }, { kind: "unknown" }, { kind: "unknown" }, { kind: "unknown" }]);
  expect(await end(id, "", "abc")).toEqual({ kind: "kept", sizeBytes: 3 });
});

test("bytes that belong elsewhere are refused with how far it is, and change nothing", async () => {
  const id = await world.uploads.begin(repository);
  await world.uploads.append(repository, id, part("abc"));
  for (const startByte of [0, 2, 4])
    expect(await world.uploads.append(repository, id, part("x", startByte))).toEqual({
      kind: "out-of-order",
      sizeBytes: 3,
    });
  const upload = { repository, id, digest: digestOf("abc") };
  expect(await world.uploads.end(upload, part("x", 9), keepsNothing)).toEqual({
    kind: "out-of-order",
    sizeBytes: 3,
  });
  expect(await end(id, "", "abc")).toEqual({ kind: "kept", sizeBytes: 3 });
});

test("what comes for one upload at the same time comes one after the other", async () => {
  const id = await world.uploads.begin(repository);
  const gate = Promise.withResolvers<void>();
  const slow = async function* (): Body {
    yield* bodyOf(["abc"]);
    await gate.promise;
    yield* bodyOf(["def"]);
  };
  const first = world.uploads.append(repository, id, part(slow(), 0));
  const second = world.uploads.append(repository, id, part("evil", 0));
  const third = world.uploads.append(repository, id, part("ghi", 6));
  const state = world.uploads.state(repository, id);
  gate.resolve();
  expect(await Promise.all([first, second, third, state])).toEqual([
    { kind: "open", sizeBytes: 6 },
    { kind: "out-of-order", sizeBytes: 6 },
    { kind: "open", sizeBytes: 9 },
    { kind: "open", sizeBytes: 9 },
  ]);
  expect(await end(id, "", "abcdefghi")).toEqual({ kind: "kept", sizeBytes: 9 });
});

test("an upload goes on where it broke off, also after a restart", async () => {
  const id = await world.uploads.begin(repository);
  const gone = new Error("the client is gone");
  expect(await world.uploads.append(repository, id, part(bodyOf(["abc"], gone)))).toEqual({
    kind: "cut",
    sizeBytes: 3,
  });
  const upload = { repository, id, digest: digestOf("abcdef") };
  expect(await world.uploads.end(upload, part(bodyOf(["def"], gone)), keepsNothing)).toEqual({
    kind: "cut",
    sizeBytes: 6,
  });
  expect(await world.uploads.state(repository, id)).toEqual({ kind: "open", sizeBytes: 6 });
  await world.uploads.close();
  const restarted = world.restarted();
  expect(await restarted.state(repository, id)).toEqual({ kind: "open", sizeBytes: 6 });
  expect(await restarted.state(other, id)).toEqual({ kind: "unknown" });
  expect(await end(id, "ghi", "abcdefghi", restarted)).toEqual({ kind: "kept", sizeBytes: 9 });
});

test("an upload whose bytes are others is given up", async () => {
  const id = await world.uploads.begin(repository);
  expect(await end(id, "abd", "abc")).toEqual({ kind: "wrong-digest", digest: digestOf("abd") });
  expect(await world.uploads.state(repository, id)).toEqual({ kind: "unknown" });
  expect([readdirSync(world.layout.uploads), openFiles()]).toEqual([[], 0]);
  expect(await world.blobs.find(repository, digestOf("abc"))).toBeUndefined();
});

test("an upload that is cancelled is gone", async () => {
  const id = await world.uploads.begin(repository);
  await world.uploads.append(repository, id, part("abc"));
  expect(await world.uploads.cancel(repository, id)).toEqual({ kind: "cancelled" });
  expect(await world.uploads.cancel(repository, id)).toEqual({ kind: "unknown" });
  expect([readdirSync(world.layout.uploads), openFiles()]).toEqual([[], 0]);
});

test("after a full disk the upload says how far its file is, and goes on once there is room", async () => {
  const id = await world.uploads.begin(repository);
  await world.uploads.append(repository, id, part("abc"));
  world.faults.roomBytes = 5;
  expect(await errorOf(world.uploads.append(repository, id, part("defghi", 3)))).toContain("ENOSPC");
  expect(openFiles()).toBe(0);
  // What was written of the piece counts: the file's end is where it goes on.
  expect(await world.uploads.state(repository, id)).toEqual({ kind: "open", sizeBytes: 5 });
  expect(await world.uploads.append(repository, id, part("defghi", 3))).toEqual({ kind: "out-of-order", sizeBytes: 5 });
  delete world.faults.roomBytes;
  expect(await end(id, "fghi", "abcdefghi")).toEqual({ kind: "kept", sizeBytes: 9 });
});

test("a file never has more than was acknowledged as its content", async () => {
  const id = await world.uploads.begin(repository);
  world.faults.roomBytes = 5;
  expect(await errorOf(world.uploads.append(repository, id, part("abcdefghi")))).toContain("ENOSPC");
  delete world.faults.roomBytes;
  const digest = digestOf("");
  expect(await end(id, "", "")).toEqual({ kind: "wrong-digest", digest: digestOf("abcde") });
  expect(existsSync(world.layout.blob(digest))).toBe(false);
});

test("an upload whose sync fails is given up and never synced again", async () => {
  const id = await world.uploads.begin(repository);
  await world.uploads.append(repository, id, part("abc"));
  world.faults.sync = "EIO";
  expect(await errorOf(end(id, "", "abc"))).toContain("EIO");
  delete world.faults.sync;
  expect(await end(id, "", "abc")).toEqual({ kind: "unknown" });
  expect([readdirSync(world.layout.uploads), openFiles()]).toEqual([[], 0]);
  expect(await world.blobs.find(repository, digestOf("abc"))).toBeUndefined();
});

test("an upload that cannot be read back is kept as it is", async () => {
  const id = await world.uploads.begin(repository);
  await world.uploads.append(repository, id, part("abc"));
  await world.uploads.close();
  const restarted = world.restarted();
  world.faults.read = "EIO";
  expect(await errorOf(end(id, "def", "abcdef", restarted))).toContain("EIO");
  delete world.faults.read;
  expect(await restarted.state(repository, id)).toEqual({ kind: "open", sizeBytes: 6 });
  expect(await end(id, "", "abcdef", restarted)).toEqual({ kind: "kept", sizeBytes: 6 });
});

test("no more files are open than a bound, and uploads go on that were closed for it", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 600; i++) {
    const id = await world.uploads.begin(repository);
    await world.uploads.append(repository, id, part(`${i},`));
    ids.push(id);
  }
  expect(openFiles()).toBe(512);
  for (const i of [0, 1, 599]) expect(await end(ids[i] ?? "", "end", `${i},end`)).toMatchObject({ kind: "kept" });
  expect(openFiles()).toBeLessThanOrEqual(512);
});

test("an upload that a body is coming for is not closed, however many others begin", async () => {
  const id = await world.uploads.begin(repository);
  const gate = Promise.withResolvers<void>();
  const slow = async function* (): Body {
    yield* bodyOf(["abc"]);
    await gate.promise;
    yield* bodyOf(["def"]);
  };
  const appending = world.uploads.append(repository, id, part(slow()));
  for (let i = 0; i < 520; i++) await world.uploads.begin(other);
  gate.resolve();
  expect(await appending).toEqual({ kind: "open", sizeBytes: 6 });
  expect(await end(id, "", "abcdef")).toEqual({ kind: "kept", sizeBytes: 6 });
});

test("those that nobody goes on with are swept, and their files let go of", async () => {
  const [old, young] = [await world.uploads.begin(repository), await world.uploads.begin(repository)];
  await world.uploads.append(repository, old, part("abc"));
  utimesSync(join(world.layout.uploads, old), 1000, 1000);
  expect(openFiles()).toBe(2);
  expect(await world.uploads.sweep(1_000_001)).toBe(1);
  expect([openFiles(), readdirSync(world.layout.uploads)]).toEqual([1, [young]]);
  expect(await world.uploads.state(repository, old)).toEqual({ kind: "unknown" });
  expect(await world.uploads.state(repository, young)).toEqual({ kind: "open", sizeBytes: 0 });
});
