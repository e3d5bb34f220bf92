import { expect, test } from "bun:test";
import { Breakers } from "./breakers.ts";
import type { UnavailableReason } from "./remote.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import type { Exchange, Incoming } from "./transport.ts";
import { unavailable } from "./unavailable.ts";

const own = "https://registry.test";

function start() {
  const clock = createManualClock();
  return { clock, breakers: new Breakers(own, { clock, random: () => 0, failuresToOpen: 1 }) };
}

async function ask(breakers: Breakers, origin: string, answer: number | UnavailableReason): Promise<string> {
  const exchange: Exchange = () =>
    Promise.resolve<Incoming | ReturnType<typeof unavailable>>(
      typeof answer === "number"
        ? { kind: "response", response: new Response(null, { status: answer }) }
        : unavailable(answer, ""),
    );
  const reach = { allowHttp: false, allowPrivate: false, ca: undefined, verify: true };
  const target = { kind: "target", url: new URL(origin), reach, isOwn: origin === own } as const;
  const got = await breakers.guard(exchange)({
    method: "GET",
    target,
    headers: {},
    signal: new AbortController().signal,
  });
  return got.kind === "response" ? "response" : got.reason;
}

test.each<[number | UnavailableReason, boolean]>([
  [500, true],
  [503, true],
  ["unreachable", true],
  ["timeout", true],
  [501, false],
  [404, false],
  [429, false],
  [200, false],
  ["refused", false],
  ["cancelled", false],
])("%p opens it: %p", async (answer, opens) => {
  const { breakers } = start();
  await ask(breakers, own, answer);
  expect(breakers.open()?.reason).toBe(opens ? "breaker-open" : undefined);
  expect(await ask(breakers, own, 200)).toBe(opens ? "breaker-open" : "response");
});

test("each origin has its own", async () => {
  const { breakers } = start();
  await ask(breakers, "https://cdn.test", 500);
  expect(await ask(breakers, "https://cdn.test", 200)).toBe("breaker-open");
  expect(await ask(breakers, "https://cdn.test:8443", 200)).toBe("response");
  expect([await ask(breakers, own, 200), breakers.open()]).toEqual(["response", undefined]);
});

test("the table of others is bounded, and the upstream's own is never forgotten", async () => {
  const { breakers } = start();
  await ask(breakers, own, 500);
  await ask(breakers, "https://first.test", 500);
  for (let i = 0; i < 64; i++) await ask(breakers, `https://${i}.test`, 500);
  expect(await ask(breakers, "https://first.test", 200)).toBe("response");
  expect(await ask(breakers, "https://63.test", 200)).toBe("breaker-open");
  expect(await ask(breakers, own, 200)).toBe("breaker-open");
});
