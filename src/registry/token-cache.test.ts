import { expect, test } from "bun:test";
import { createManualClock } from "./testing/manual-clock.ts";
import { type RequestToken, TokenCache } from "./token-cache.ts";

const never = new AbortController().signal;

/** Gives a token that names its number, and counts. */
function counting(): { readonly request: RequestToken; readonly count: () => number } {
  let count = 0;
  const request: RequestToken = () => {
    count += 1;
    return Promise.resolve({ kind: "token", token: `token-${count}`, expiresInMs: 300_000 });
  };
  return { request, count: () => count };
}

test("the table is bounded: the oldest go, the newest stay", async () => {
  const cache = new TokenCache(createManualClock());
  const { request, count } = counting();
  for (let i = 0; i < 1025; i++) await cache.get(`scope-${i}`, request, never);
  expect([cache.held("scope-0"), cache.held("scope-1")?.token, cache.held("scope-1024")?.token]).toEqual([
    undefined,
    "token-2",
    "token-1025",
  ]);
  await cache.get("scope-1024", request, never);
  await cache.get("scope-0", request, never);
  expect(count()).toBe(1026);
});

test("what is dropped is the token that was refused, not the one that came since", async () => {
  const cache = new TokenCache(createManualClock());
  const { request } = counting();
  await cache.get("scope", request, never);
  cache.drop("scope", "another");
  expect(cache.held("scope")?.token).toBe("token-1");
  cache.drop("scope", "token-1");
  expect(cache.held("scope")).toBeUndefined();
  expect(await cache.get("scope", request, never)).toEqual({ kind: "grant", token: "token-2", isFresh: true });
  expect(await cache.get("scope", request, never)).toEqual({ kind: "grant", token: "token-2", isFresh: false });
});

test("a request that hangs ends by itself, also when nobody waits any more", async () => {
  const clock = createManualClock();
  const cache = new TokenCache(clock);
  const caller = new AbortController();
  let flight: AbortSignal | undefined;
  const hung: RequestToken = (signal) => {
    flight = signal;
    return new Promise((resolve) =>
      signal.addEventListener("abort", () =>
        resolve({ kind: "unavailable", reason: "timeout", message: "", status: undefined, retryAfterMs: undefined }),
      ),
    );
  };
  const waiting = cache.get("scope", hung, caller.signal);
  caller.abort();
  expect(await waiting).toMatchObject({ reason: "cancelled" });
  expect(flight?.aborted).toBeFalse();
  clock.advance(5000);
  expect(flight?.aborted).toBeTrue();
  const { request } = counting();
  await new Promise((resolve) => setImmediate(resolve));
  expect(await cache.get("scope", request, never)).toMatchObject({ kind: "grant" });
  expect(clock.pending()).toBe(0);
});
