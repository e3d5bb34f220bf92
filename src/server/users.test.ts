import { expect, test } from "bun:test";
import { bcryptUsers, parseHtpasswd } from "./users.ts";

const key = new Uint8Array(32).fill(3);
/** The password is `U*U`; from the test vectors of crypt_blowfish, in the spelling that `htpasswd -B` writes. */
const hash = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

test("an htpasswd file is read line by line, and what is no bcrypt user is said", () => {
  const text = `# users\n\nann:${hash}\r\n bob:${hash.replace("$2y", "$2b")} \ncid:$apr1$x$y\nnobody\n:${hash}\neve:${hash}x\n`;
  const { hashes, problems } = parseHtpasswd(text);
  expect([...hashes]).toEqual([
    ["ann", hash],
    ["bob", hash.replace("$2y", "$2b")],
  ]);
  expect(problems).toEqual([
    { line: 5, message: "only bcrypt hashes are accepted (htpasswd -B)" },
    { line: 6, message: "not name:hash" },
    { line: 7, message: "not name:hash" },
    { line: 8, message: "only bcrypt hashes are accepted (htpasswd -B)" },
  ]);
});

test.each<[string, string, boolean]>([
  ["ann", "U*U", true],
  ["ann", "U*U*", false],
  ["ann", "", false],
  ["ann", "U*U".repeat(400), false],
  ["bob", "U*U", false],
  ["", "U*U", false],
  ["__proto__", "U*U", false],
])("%s with %p is let in: %p", async (name, password, isRight) => {
  const users = bcryptUsers(new Map([["ann", hash]]), key, () => 0);
  expect(await users.check(name, password)).toBe(isRight);
  expect(await users.check(name, password)).toBe(isRight);
});

test.each(["$2a", "$2b", "$2y"])("hashes that begin with %s are understood", async (kind) => {
  const users = bcryptUsers(new Map([["ann", hash.replace("$2y", kind)]]), key, () => 0);
  expect([await users.check("ann", "U*U"), await users.check("ann", "u*u")]).toEqual([true, false]);
});

test("others have their turn while a password is checked", async () => {
  const costly = await Bun.password.hash("U*U", { algorithm: "bcrypt", cost: 10 });
  const users = bcryptUsers(new Map([["ann", costly]]), key, () => 0);
  let hadTurn = false;
  setImmediate(() => (hadTurn = true));
  expect([await users.check("ann", "U*U"), hadTurn]).toEqual([true, true]);
});

test("without users nobody is let in", async () => {
  expect(await bcryptUsers(new Map(), key, () => 0).check("ann", "U*U")).toBe(false);
});

test("a right password is remembered for a minute, with its user and not beside", async () => {
  let nowMs = 1000;
  const hashes = new Map([
    ["ann", hash],
    ["bob", await Bun.password.hash("other", { algorithm: "bcrypt", cost: 4 })],
  ]);
  const users = bcryptUsers(hashes, key, () => nowMs);
  expect(await users.check("ann", "U*U")).toBe(true);
  hashes.delete("ann");
  expect(await users.check("ann", "U*U")).toBe(true);
  expect(await users.check("ann", "other")).toBe(false);
  expect(await users.check("bob", "U*U")).toBe(false);
  nowMs += 60_000;
  expect(await users.check("ann", "U*U")).toBe(false);
});

test("clients that ask at once share one check, and each gets its answer", async () => {
  const users = bcryptUsers(new Map([["ann", hash]]), key, () => 0);
  const right = Array.from({ length: 20 }, () => users.check("ann", "U*U"));
  const wrong = Array.from({ length: 20 }, () => users.check("ann", "no"));
  expect(new Set(await Promise.all(right))).toEqual(new Set([true]));
  expect(new Set(await Promise.all(wrong))).toEqual(new Set([false]));
});
