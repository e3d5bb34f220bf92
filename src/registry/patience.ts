import { discard } from "./body.ts";
import type { Breakers } from "./breakers.ts";
import { type Clock, pause } from "./clock.ts";
import { rateAdvice } from "./rate-headers.ts";
import type { CallLimits, Unavailable } from "./remote.ts";
import type { Reply } from "./reply.ts";
import type { RegistryRequest } from "./request.ts";

/** What waiting is done with. */
export interface PatienceOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly breakers: Pick<Breakers, "failingForMs">;
}

/** No pause is shorter, and this much of chance is added, so that those who wait do not come back in step. */
const shortestPauseMs = 1000;
/** Who fails for longer than that is not waited for: a registry that starts anew is back by then, and a wrong address never is. */
const failingMaxMs = 60_000;

/** What was answered, and how it is asked again. */
export interface Asked {
  readonly first: Reply | Unavailable;
  readonly ask: () => Promise<Reply | Unavailable>;
}

/** Asks again after the pause that a registry asks for, as long as the caller's patience lasts; the last answer stands. */
export async function patiently(
  { clock, random, breakers }: PatienceOptions,
  request: RegistryRequest,
  limits: CallLimits,
  { first, ask }: Asked,
): Promise<Reply | Unavailable> {
  let leftMs = limits.patienceMs ?? 0;
  let answer = first;
  for (;;) {
    const askedMs = leftMs > 0 ? pauseAskedBy(answer, request, clock) : undefined;
    if (askedMs === undefined) return answer;
    const waitMs = Math.max(askedMs, shortestPauseMs) + random() * shortestPauseMs;
    if (waitMs > leftMs || limits.signal.aborted) return answer;
    if (isBreakerOpen(answer) && breakers.failingForMs() + waitMs > failingMaxMs) return answer;
    if (answer.kind === "reply") await letGo(answer);
    limits.onWait?.(waitMs, isBreakerOpen(answer) ? "failing" : "asked");
    await pause(clock, waitMs, limits.signal);
    leftMs -= waitMs;
    answer = await ask();
  }
}

/** What goes out once is asked again only when it did not go out. */
function pauseAskedBy(
  answer: Reply | Unavailable,
  { isOnce = false }: RegistryRequest,
  clock: Clock,
): number | undefined {
  if (answer.kind === "unavailable") return isOnce && answer.status !== undefined ? undefined : answer.retryAfterMs;
  const { status, headers } = answer.answered.response;
  return status === 429 && !isOnce ? rateAdvice(status, headers, clock.epochMs()).pauseMs : undefined;
}

function isBreakerOpen(answer: Reply | Unavailable): boolean {
  return answer.kind === "unavailable" && answer.reason === "breaker-open";
}

async function letGo(reply: Reply): Promise<void> {
  await discard(reply.answered.response, reply.signal);
  reply.close();
}
