import { expect, test } from "bun:test";
import { digestOf, makeImage, noiseBlock, pieces } from "./content.ts";

const block = noiseBlock();

test.each([1, 15, 200, 1 << 20, (1 << 20) + 1, 3_000_000])(
  "%d bytes come to the same blob in pieces of any size",
  (sizeBytes) => {
    const spec = { sizeBytes, seed: 7 };
    const whole = Buffer.concat([...pieces(spec, block, 1 << 20)]);
    expect(whole.length).toBe(sizeBytes);
    expect(Buffer.concat([...pieces(spec, block, 64 * 1024)]).equals(whole)).toBe(true);
    expect(digestOf(spec, block)).toBe(`sha256:${new Bun.CryptoHasher("sha256").update(whole).digest("hex")}`);
  },
);

test("another seed is another image throughout", () => {
  const [one, two] = [1, 2].map((seed) => makeImage("library/x", { sizeBytes: 200, seed }, block));
  expect(one?.layerDigest).not.toBe(two?.layerDigest);
  expect(one?.configDigest).not.toBe(two?.configDigest);
  expect(one?.manifestDigest).not.toBe(two?.manifestDigest);
});
