import { discard } from "./body.ts";
import type { Breakers } from "./breakers.ts";
import { type Clock, pause } from "./clock.ts";
import { type Deadline, endedBy, startDeadline } from "./deadline.ts";
import { readOciError, withError } from "./oci-error.ts";
import { patiently } from "./patience.ts";
import { rateAdvice } from "./rate-headers.ts";
import { type Answered, follow, type Route, type Sendable } from "./redirects.ts";
import type { CallLimits, Unavailable } from "./remote.ts";
import type { Reply } from "./reply.ts";
import { isRead, type RegistryRequest } from "./request.ts";
import { isServerError } from "./statuses.ts";
import { askedFor, unavailable } from "./unavailable.ts";

/** What calls are made with. */
export interface CallOptions {
  readonly route: Route;
  readonly breakers: Breakers;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Asks one question within its limits. */
export type Call = (request: RegistryRequest, limits: CallLimits) => Promise<Reply | Unavailable>;

const retriesMax = 2;
const firstRetryMs = 250;
/** How long a request's body may go unread while it has bytes to give. */
const stallMs = 60_000;

/** Calls that wait for their turn, try again where that may help, and answer at once where nothing would come of asking. */
export function createCall(options: CallOptions): Call {
  return async (request, limits) => {
    const ask = (): Promise<Reply | Unavailable> => call(options, request, limits);
    const first = await ask();
    if (first.kind === "reply" && first.answered.response.status !== 429) return first;
    const answer = await patiently(options, request, limits, { first, ask });
    return answer.kind === "unavailable" ? askedFor(request.asked, answer) : answer;
  };
}

async function call(options: CallOptions, request: RegistryRequest, limits: CallLimits): Promise<Reply | Unavailable> {
  const { clock, route, breakers } = options;
  const closed = breakers.open() ?? route.budget.paused();
  if (closed !== undefined) return closed;
  const deadline = startDeadline(clock, limits);
  const entering = route.budget.enter(request.load, deadline.signal);
  const place = entering instanceof Promise ? await entering : entering;
  const close = (): void => {
    deadline.end();
    place?.release();
  };
  const sendable = sendableOf(request, deadline, limits);
  const first = place === undefined ? endedBy(deadline.signal) : await follow(route, sendable, deadline.signal);
  const answered = place === undefined || isFine(first) ? first : await retried(options, sendable, deadline, first);
  if (answered.kind === "unavailable") {
    close();
    return answered;
  }
  if (typeof sendable.body === "function") deadline.extend(limits.timeoutMs);
  const cut = (): void => {
    deadline.cut();
    close();
  };
  return {
    kind: "reply",
    answered,
    signal: deadline.signal,
    remainingMs: () => deadline.remainingMs(),
    disarm: () => deadline.disarm(),
    cut,
    close,
  };
}

/** The time of a call with a flowing body is counted anew at each step of it, and not at all while it waits for its own bytes. */
function sendableOf(request: RegistryRequest, deadline: Deadline, { timeoutMs }: CallLimits): Sendable {
  const { body, ...rest } = request;
  if (body === undefined) return rest;
  if (typeof body !== "function") return { ...rest, body };
  const progress = {
    waits: () => deadline.extend(Number.POSITIVE_INFINITY),
    moved: () => deadline.extend(stallMs),
    ended: () => deadline.extend(timeoutMs),
  };
  return { ...rest, body: () => body(progress) };
}

function isFine(answer: Answered | Unavailable): boolean {
  return answer.kind === "answered" && !isServerFailure(answer.response.status);
}

/** Up to two more attempts, with pauses of random length between them (full jitter), as long as there is time. */
async function retried(
  options: CallOptions,
  request: Sendable,
  deadline: Deadline,
  first: Answered | Unavailable,
): Promise<Answered | Unavailable> {
  let last = await settled(options, request, deadline, first);
  const allowed = request.isOnce === true ? 0 : retriesMax;
  for (let retry = 0; retry < allowed && isWorthRetry(last); retry++) {
    const delayMs = options.random() * firstRetryMs * 2 ** retry;
    if (delayMs >= deadline.remainingMs()) return last;
    await pause(options.clock, delayMs, deadline.signal);
    const answered = await follow(options.route, request, deadline.signal);
    const next = await settled(options, request, deadline, answered);
    if (next.kind === "unavailable" && hidesCause(next)) return last;
    last = next;
  }
  return last;
}

/** What one attempt came to. A server's failure is an answer already here, so that it may be tried again. */
async function settled(
  { clock }: CallOptions,
  request: Sendable,
  deadline: Deadline,
  answered: Answered | Unavailable,
): Promise<Answered | Unavailable> {
  if (answered.kind === "unavailable") return answered;
  const { status, headers } = answered.response;
  if (!isServerFailure(status)) return answered;
  const { pauseMs } = rateAdvice(status, headers, clock.epochMs());
  const facts = pauseMs > 0 ? { status, retryAfterMs: pauseMs } : { status };
  const failed = unavailable("failed", `${answered.target.url.host} answered ${status}`, facts);
  if (!isRead(request.method)) return withError(failed, await readOciError(answered.response, deadline.signal));
  await discard(answered.response, deadline.signal);
  return failed;
}

function isWorthRetry(answer: Answered | Unavailable): boolean {
  if (answer.kind !== "unavailable" || answer.retryAfterMs !== undefined) return false;
  return answer.reason === "unreachable" || isServerFailure(answer.status);
}

/** What a server that works might answer otherwise. */
function isServerFailure(status: number | undefined): boolean {
  return status === 408 || isServerError(status);
}

/** A retry that was not let out, or was out of time, says less than what was known before it. */
function hidesCause({ reason }: Unavailable): boolean {
  return reason === "breaker-open" || reason === "rate-limited" || reason === "timeout" || reason === "cancelled";
}
