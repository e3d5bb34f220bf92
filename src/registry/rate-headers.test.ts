import { expect, test } from "bun:test";
import { rateAdvice } from "./rate-headers.ts";

const now = Date.parse("Sun, 22 Nov 2026 12:00:00 GMT");

test.each<[number, Record<string, string>, number]>([
  [429, {}, 10_000],
  [429, { "Retry-After": "7" }, 7000],
  [429, { "Retry-After": "0" }, 0],
  [429, { "Retry-After": " 7 " }, 7000],
  [429, { "Retry-After": "-7" }, 10_000],
  [429, { "Retry-After": "soon" }, 10_000],
  [429, { "Retry-After": "99999999" }, 600_000],
  [429, { "Retry-After": "Sun, 22 Nov 2026 12:00:30 GMT" }, 30_000],
  [429, { "Retry-After": "Sun, 22 Nov 2026 11:59:30 GMT" }, 0],
  [429, { "Retry-After": "Sun, 22 Nov 2026 13:00:30 GMT", Date: "Sun, 22 Nov 2026 13:00:00 GMT" }, 30_000],
  [429, { "RateLimit-Reset": "12" }, 12_000],
  [429, { "RateLimit-Remaining": "0;w=21600" }, 10_000],
  [503, { "Retry-After": "7" }, 7000],
  [503, {}, 0],
  [500, { "Retry-After": "7" }, 0],
  [200, { "Retry-After": "7" }, 0],
  [200, { "RateLimit-Remaining": "76;w=21600" }, 0],
  [200, { "RateLimit-Remaining": "0;w=21600" }, 0],
  [200, { "RateLimit-Remaining": "0", "RateLimit-Reset": "12" }, 12_000],
  [200, { "RateLimit-Remaining": "1", "RateLimit-Reset": "12" }, 0],
  [200, { "RateLimit-Remaining": "0", "RateLimit-Reset": "99999" }, 600_000],
])("%p with %p asks for %p ms", (status, headers, pauseMs) => {
  expect(rateAdvice(status, new Headers(headers), now).pauseMs).toBe(pauseMs);
});
