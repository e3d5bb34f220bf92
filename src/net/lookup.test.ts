import { expect, test } from "bun:test";
import { rememberLookups, systemLookup } from "./lookup.ts";

/** A resolver whose answers the test gives, and a clock it moves. */
function world() {
  const asked: { readonly host: string; answer(addresses: readonly string[]): void; fail(): void }[] = [];
  const clock = { nowMs: 0 };
  const lookup = rememberLookups(
    (host) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      asked.push({ host, answer: resolve, fail: () => reject(new Error("no such name")) });
      return promise;
    },
    () => clock.nowMs,
  );
  return { asked, clock, lookup };
}

test("a name is looked up once for all who ask within five seconds, and anew after them", async () => {
  const { asked, clock, lookup } = world();
  const both = [lookup("a.example"), lookup("a.example")];
  asked[0]?.answer(["192.0.2.1"]);
  expect(await Promise.all(both)).toEqual([["192.0.2.1"], ["192.0.2.1"]]);
  clock.nowMs = 4999;
  expect(await lookup("a.example")).toEqual(["192.0.2.1"]);
  expect(asked).toHaveLength(1);
  clock.nowMs = 5000;
  const moved = lookup("a.example");
  asked[1]?.answer(["192.0.2.2"]);
  expect(await moved).toEqual(["192.0.2.2"]);
});

test("names do not answer for each other, and a failure is for those who waited for it only", async () => {
  const { asked, lookup } = world();
  const failed = lookup("a.example").catch((error: unknown) => String(error));
  const other = lookup("b.example");
  asked[0]?.fail();
  asked[1]?.answer(["192.0.2.9"]);
  expect([await failed, await other]).toEqual(["Error: no such name", ["192.0.2.9"]]);
  const again = lookup("a.example");
  asked[2]?.answer(["192.0.2.1"]);
  expect(await again).toEqual(["192.0.2.1"]);
});

test("a late failure of an old look-up takes no newer answer away", async () => {
  const { asked, clock, lookup } = world();
  const old = lookup("a.example").catch(() => "failed");
  clock.nowMs = 5000;
  const newer = lookup("a.example");
  asked[1]?.answer(["192.0.2.1"]);
  await newer;
  asked[0]?.fail();
  expect(await old).toBe("failed");
  expect(await lookup("a.example")).toEqual(["192.0.2.1"]);
  expect(asked).toHaveLength(2);
});

test("no more than 256 names are remembered, the oldest out first", () => {
  const { asked, lookup } = world();
  for (let name = 0; name <= 256; name += 1) void lookup(`n${name}.example`);
  void lookup("n256.example");
  void lookup("n1.example");
  expect(asked).toHaveLength(257);
  void lookup("n0.example");
  expect(asked.at(-1)?.host).toBe("n0.example");
  expect(asked).toHaveLength(258);
});

test("the system's resolver knows localhost", async () => {
  const addresses = await systemLookup("localhost");
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(address).toMatch(/^(127\.|::1$)/);
});
