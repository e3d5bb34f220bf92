import { expect, test } from "bun:test";
import { ClientRate } from "./client-rate.ts";

function taken(rate: ClientRate, client: string, nowMs: number, times = 1000): number {
  let count = 0;
  for (let i = 0; i < times; i++) if (rate.take(client, nowMs)) count += 1;
  return count;
}

test("a burst, then so many a second, and no more than a burst is ever saved up", () => {
  const rate = new ClientRate({ perSecond: 20, burst: 100, maxClients: 10 });
  expect(taken(rate, "192.0.2.1", 0)).toBe(100);
  expect(taken(rate, "192.0.2.1", 49)).toBe(0);
  expect(taken(rate, "192.0.2.1", 50)).toBe(1);
  expect(taken(rate, "192.0.2.1", 1050)).toBe(20);
  expect(taken(rate, "192.0.2.1", 3_600_000)).toBe(100);
});

test.each([
  ["192.0.2.1", "192.0.2.2", 1],
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", 0],
  ["2001:db8:1:2::1", "2001:0db8:0001:0002::3", 0],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", 1],
  ["unknown", "unknown", 0],
])("after %s has taken all, %s has %p", (first, second, expected) => {
  const rate = new ClientRate({ perSecond: 1, burst: 1, maxClients: 10 });
  expect(taken(rate, first, 0)).toBe(1);
  expect(taken(rate, second, 0)).toBe(expected);
});

test("past its bound the client that took longest ago is forgotten", () => {
  const rate = new ClientRate({ perSecond: 1, burst: 2, maxClients: 2 });
  for (const client of ["a", "b", "a", "c"]) rate.take(client, 0);
  expect([taken(rate, "a", 0), taken(rate, "c", 0), taken(rate, "b", 0)]).toEqual([0, 1, 2]);
});
