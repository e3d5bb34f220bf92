import { cronSchedule, intervalSchedule, type Schedule, type ScheduleRefusal } from "../schedule.ts";
import { parseGoDuration } from "./go-duration.ts";

/** Five fields of cron with `?` for `*`, `@daily` and its like, `@every 1h30m`. A time zone of its own is not understood. */
export function parseRegsyncSchedule(text: string): Schedule | ScheduleRefusal {
  if (/^(CRON_)?TZ=/.test(text)) {
    return { reason: "has a time zone in it; take it out and set TZ for the whole program" };
  }
  const every = /^@every (.+)$/.exec(text)?.[1];
  if (every === undefined) return cronSchedule(text.replaceAll(/(^|\s)\?(?=\s|$)/g, "$1*"));
  const everyMs = parseGoDuration(every);
  if (everyMs === undefined) return { reason: "must have a duration such as 1h30m behind @every" };
  return intervalSchedule(everyMs);
}
