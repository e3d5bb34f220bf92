import { expect, test } from "bun:test";
import { nextRun, parseSchedule } from "./schedule.ts";

const from = Date.UTC(2026, 0, 31, 23, 59, 30);

function next(text: string, timeZone = "UTC"): string {
  const schedule = parseSchedule(text);
  if ("reason" in schedule) return schedule.reason;
  const runMs = nextRun(schedule, from, timeZone);
  return runMs === undefined ? "never" : new Date(runMs).toISOString();
}

test.each([
  ["15m", "2026-02-01T00:14:30.000Z"],
  ["7d", "2026-02-07T23:59:30.000Z"],
  ["15 1 * * *", "2026-02-01T01:15:00.000Z"],
  ["*/5 * * * *", "2026-02-01T00:00:00.000Z"],
  ["0 0 29 2 *", "2028-02-29T00:00:00.000Z"],
  ["0 0 * * MON-FRI", "2026-02-02T00:00:00.000Z"],
  ["@daily", "2026-02-01T00:00:00.000Z"],
  ["0s", "must be 1s or longer"],
  ["500ms", "must be 1s or longer"],
  ["0 0 30 2 *", "names a day that no month has"],
  ["60 * * * *", "must be an interval such as 15m or five fields of cron"],
  ["* * * * * *", "must be an interval such as 15m or five fields of cron"],
  ["daily", "must be an interval such as 15m or five fields of cron"],
  ["", "must be an interval such as 15m or five fields of cron"],
])("%j is due next: %s", (text, expected) => {
  expect(next(text)).toStartWith(expected);
});

test("cron's fields are in the time zone", () => {
  expect(next("15 1 * * *", "America/New_York")).toBe("2026-02-01T06:15:00.000Z");
});
