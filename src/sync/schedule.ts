import { parseDuration } from "../config/duration.ts";

/** When an entry is copied again. */
export type Schedule =
  | { readonly kind: "interval"; readonly everyMs: number }
  /** `minute hour day month weekday`, or `@daily` and its like. */
  | { readonly kind: "cron"; readonly expression: string };

/** Why a text is no schedule, in words that complete a sentence about it. */
export interface ScheduleRefusal {
  readonly reason: string;
}

/** A registry that is asked more often than this is not kept fresher, only busy. */
const MIN_INTERVAL_MS = 1000;

/** An interval such as `15m`, or five fields of cron. */
export function parseSchedule(text: string): Schedule | ScheduleRefusal {
  const everyMs = parseDuration(text);
  return everyMs === undefined ? cronSchedule(text) : intervalSchedule(everyMs);
}

/** Once in every so many milliseconds. */
export function intervalSchedule(everyMs: number): Schedule | ScheduleRefusal {
  return everyMs < MIN_INTERVAL_MS ? { reason: "must be 1s or longer" } : { kind: "interval", everyMs };
}

/** Five fields of cron: numbers, names, `*`, lists, ranges and steps; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
export function cronSchedule(text: string): Schedule | ScheduleRefusal {
  const schedule: Schedule = { kind: "cron", expression: text };
  try {
    return nextRun(schedule, 0) === undefined ? { reason: "names a day that no month has" } : schedule;
  } catch {
    return { reason: 'must be an interval such as 15m or five fields of cron such as "15 1 * * *"' };
  }
}

/** When a schedule is due next, after a moment; `undefined` for never. Cron's fields are in `timeZone`, the system's without one. */
export function nextRun(schedule: Schedule, afterMs: number, timeZone?: string): number | undefined {
  if (schedule.kind === "interval") return afterMs + schedule.everyMs;
  const options = timeZone === undefined ? {} : { tz: timeZone };
  return Bun.cron.parse(schedule.expression, afterMs, options)?.getTime();
}
