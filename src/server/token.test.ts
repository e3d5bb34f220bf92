import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Identity, TokenSigner } from "./token.ts";

const key = new Uint8Array(32).fill(1);
let nowMs = 0;
const signer = new TokenSigner(key, () => nowMs);
const ann: Identity = { kind: "user", name: "ann" };
const anonymous: Identity = { kind: "anonymous" };

test("a token says who asked, until its time is over", () => {
  nowMs = 1_000_000;
  const token = signer.sign(ann, 5000);
  expect(signer.read(token)).toEqual(ann);
  expect(signer.read(signer.sign(anonymous, 5000))).toEqual(anonymous);
  nowMs += 4999;
  expect(signer.read(token)).toEqual(ann);
  nowMs += 1;
  expect(signer.read(token)).toBeUndefined();
});

test("any user's name comes back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 64 }), (name) => {
      expect(signer.read(signer.sign({ kind: "user", name }, 1))).toEqual({ kind: "user", name });
    }),
  );
});

test("a token of another process's key is none", () => {
  const other = new TokenSigner(new Uint8Array(32).fill(2), () => nowMs);
  expect(signer.read(other.sign(ann, 5000))).toBeUndefined();
});

test("no change of a token is accepted", () => {
  const token = signer.sign(ann, 5000);
  const at = fc.integer({ min: 0, max: token.length });
  fc.assert(
    fc.property(at, at, fc.stringMatching(/^[\w.-]{0,3}$/), (from, to, text) => {
      const changed = token.slice(0, from) + text + token.slice(to);
      fc.pre(changed !== token);
      expect(signer.read(changed)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test("a token cannot be made longer, later or for another user with the parts of good ones", () => {
  const [untilA = "", nameA = "", macA = ""] = signer.sign(ann, 5000).split(".");
  const [untilB = "", nameB = "", macB = ""] = signer.sign({ kind: "user", name: "bob" }, 9000).split(".");
  for (const parts of [
    [untilB, nameA, macA],
    [untilA, nameB, macA],
    [untilA, nameA, macB],
    [untilB, nameB, macA],
    [untilA, "", macA],
    [untilA, nameA, macA, ""],
    [untilA, nameA],
  ])
    expect(signer.read(parts.join("."))).toBeUndefined();
});

test("what is no token is none, however long", () => {
  expect(signer.read("a".repeat(100_000))).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => signer.read(text) === undefined));
});
