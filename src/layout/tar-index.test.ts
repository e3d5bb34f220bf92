import { expect, test } from "bun:test";
import fc from "fast-check";
import { type ByteSource, inMemory } from "./bytes.ts";
import { indexTar, type TarIndex } from "./tar-index.ts";
import { pathInside } from "./tar-scan.ts";
import { formatPaxPath } from "./pax.ts";
import { limits, tarOf } from "./testing/images.ts";
import { blocks, octal, testHeader } from "./testing/tar-block.ts";

const open = (bytes: Uint8Array<ArrayBuffer>): Promise<TarIndex> =>
  indexTar(inMemory("test.tar", bytes), limits.signal);

async function text(source: ByteSource | undefined): Promise<string | undefined> {
  return source && new TextDecoder().decode(await source.read(0, source.sizeBytes));
}

const file = testHeader({ name: "name", size: octal(4) });
const long = `${"d".repeat(120)}/${"f".repeat(120)}`;

test.each([
  ["the end mark", blocks(file, "data", new Uint8Array(1024)), "name"],
  ["no end mark", blocks(file, "data"), "name"],
  ["no padding", new Uint8Array(Buffer.concat([file, Buffer.from("data")])), "name"],
  ["./ before it", blocks(testHeader({ name: "./a//./b", size: octal(4) }), "data"), "a/b"],
  ["a prefix", blocks(testHeader({ name: "b", prefix: "a", size: octal(4) }), "data"), "a/b"],
  ["a long name of GNU", blocks(testHeader({ type: "L", size: octal(241) }), long, file, "data"), long],
  [
    "a long name of pax",
    blocks(testHeader({ type: "x", size: octal(formatPaxPath(long).byteLength) }), formatPaxPath(long), file, "data"),
    long,
  ],
  [
    "a size of pax",
    blocks(testHeader({ type: "x", size: octal(10) }), "10 size=4\n", testHeader({ name: "x" }), "data"),
    "x",
  ],
  ["a comment for all", blocks(testHeader({ type: "g", size: octal(13) }), "13 comment=a\n", file, "data"), "name"],
  [
    "a folder before it",
    blocks(testHeader({ name: "./", type: "5" }), testHeader({ name: "old/" }), file, "data"),
    "name",
  ],
])("a file is found: %s", async (_, bytes, path) => {
  expect(await text((await open(bytes)).file(path))).toBe("data");
});

test.each([
  ["..", blocks(testHeader({ name: "a/../../etc/passwd" })), "does not stay inside"],
  ["absolute", blocks(testHeader({ name: "/etc/passwd" })), "does not stay inside"],
  ["absolute by pax", blocks(testHeader({ type: "x", size: octal(11) }), "11 path=/a\n", file), "does not stay inside"],
  [".. as a folder", blocks(testHeader({ name: "../", type: "5" })), "does not stay inside"],
  ["no name", blocks(testHeader({ name: "" })), "no name"],
  ["a device", blocks(testHeader({ type: "3" })), "neither file, folder nor link"],
  ["a pipe", blocks(testHeader({ type: "6" })), "neither file, folder nor link"],
  ["sparse", blocks(testHeader({ type: "S" })), "sparse"],
  ["sparse by pax", blocks(testHeader({ type: "x", size: octal(22) }), "22 GNU.sparse.major=1\n", file), "sparse"],
  ["a link with data", blocks(testHeader({ type: "2", size: octal(3) }), "abc"), "has data"],
  [
    "all entries named",
    blocks(testHeader({ type: "g", size: octal(10) }), "10 path=a\n"),
    "names or sizes every entry",
  ],
  ["a long header", blocks(testHeader({ type: "x", size: octal(2 ** 21) })), "larger than 1 MiB"],
  ["a header that is cut", blocks(testHeader({ type: "L", size: octal(9000) }), "a"), "is cut"],
  ["data that is cut", blocks(testHeader({ size: octal(600) }), "a"), "is cut"],
  ["half a header", new Uint8Array([...blocks(file, "data"), 1, 2, 3]), "is cut"],
  ["twice", blocks(file, "data", file, "diff"), "stands there twice"],
  ["no tar", blocks("PK\x03\x04"), "checksum"],
])("a tar is refused: %s", async (_, bytes, words) => {
  const opened = open(bytes).then(() => "opened", String);
  expect(await opened).toContain(words);
  expect(await opened).toContain("test.tar");
});

test("links are followed only where they are asked to be, once, and inside", async () => {
  const link = (name: string, linkName: string, type = "2"): Uint8Array => testHeader({ name, linkName, type });
  const tar = await open(
    blocks(
      testHeader({ name: "aa/layer.tar", size: octal(4) }),
      "data",
      link("bb/layer.tar", "../aa/layer.tar"),
      link("cc/layer.tar", "../bb/layer.tar"),
      link("dd/layer.tar", "../../aa/layer.tar"),
      link("ee/layer.tar", "/aa/layer.tar"),
      link("ff/layer.tar", "aa/layer.tar", "1"),
    ),
  );
  expect(tar.file("bb/layer.tar")).toBeUndefined();
  expect(await text(tar.fileOrLinked("aa/layer.tar"))).toBe("data");
  expect(await text(tar.fileOrLinked("bb/layer.tar"))).toBe("data");
  expect(await text(tar.fileOrLinked("ff/layer.tar"))).toBe("data");
  for (const folder of ["cc", "dd", "ee"]) expect(tar.fileOrLinked(`${folder}/layer.tar`)).toBeUndefined();
});

test("content that stands twice under its digest is read once", async () => {
  const path = `blobs/sha256/${"a".repeat(64)}`;
  const tar = await open(
    tarOf([
      [path, "one"],
      [path, "two"],
    ]),
  );
  expect(await text(tar.file(path))).toBe("one");
});

test("a file past 8 GiB is skipped, and what is behind it found", async () => {
  const hugeBytes = 9 * 1024 ** 3;
  const size = new Uint8Array(12);
  size.set([0x80, 0, 0, 0, 0, 0, 0, 2, 0x40, 0, 0, 0]);
  const head = testHeader({ name: "huge", size });
  const tail = blocks(file, "data");
  const source: ByteSource = {
    ...inMemory("huge.tar", new Uint8Array()),
    sizeBytes: 512 + hugeBytes + tail.byteLength,
    read(offset, length) {
      if (offset === 0) return Promise.resolve(head);
      return Promise.resolve(tail.slice(offset - 512 - hugeBytes, offset - 512 - hugeBytes + length));
    },
  };
  const tar = await indexTar(source, limits.signal);
  expect(tar.file("huge")?.sizeBytes).toBe(hugeBytes);
  expect(await text(tar.file("name"))).toBe("data");
});

test("what is written is found again, whatever the names", async () => {
  const segment = fc.stringMatching(/^[a-zA-Z0-9_. -]{1,60}$/).filter((name) => name !== "." && name !== "..");
  const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
  const files = fc.uniqueArray(fc.tuple(path, fc.string()), { selector: ([name]) => name, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(files, async (written) => {
      const tar = await open(tarOf(written));
      for (const [name, content] of written)
        expect(await text(tar.file(name))).toBe(new TextDecoder().decode(new TextEncoder().encode(content)));
    }),
  );
});

test("no bytes are read in a way that is neither an index nor a failure with the file's name", async () => {
  const part = fc.oneof(
    fc.constantFrom(file, testHeader({ type: "x", size: octal(30) }), testHeader({ type: "L", size: octal(5) })),
    fc.uint8Array({ maxLength: 700 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      const outcome = await open(new Uint8Array(Buffer.concat(parts))).then(() => "test.tar", String);
      expect(outcome).toContain("test.tar");
    }),
  );
});

test.each([
  ["a/b", "a/b"],
  ["./a/./b/", "a/b"],
  ["./", ""],
  ["a/..b", "a/..b"],
  ["a/../b", undefined],
  ["..", undefined],
  ["/a", undefined],
  ["a\0b", undefined],
])("the path %j inside of a folder", (name, expected) => {
  expect(pathInside(name)).toBe(expected as string);
});
