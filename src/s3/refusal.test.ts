import { expect, test } from "bun:test";
import { createManualClock } from "../registry/testing/manual-clock.ts";
import { explain, isPassing, refusalOf } from "./refusal.ts";
import { parseXml } from "./xml.ts";

const clock = createManualClock();

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly more?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusal({ status, code, more = "", headers = {} }: Answer): ReturnType<typeof refusalOf> {
  const xml = code === undefined ? undefined : parseXml(`<Error><Code>${code}</Code>${more}</Error>`);
  return refusalOf("store.test", new Response(null, { status, headers }), xml);
}

const nowMs = clock.epochMs();
const dateOf = (epochMs: number): Readonly<Record<string, string>> => ({ Date: new Date(epochMs).toUTCString() });

test.each<[string, Answer, string, string]>([
  ["no code", { status: 403 }, "denied", "store.test answered 403"],
  ["a policy", { status: 403, code: "AccessDenied" }, "denied", "the access key may not do that there"],
  ["a wrong secret", { status: 403, code: "SignatureDoesNotMatch" }, "denied", "check the secret access key"],
  ["a session's end", { status: 400, code: "ExpiredToken" }, "denied", "the session token is over"],
  ["no bucket", { status: 404, code: "NoSuchBucket" }, "failed", "there is no such bucket"],
  ["wrong bytes", { status: 400, code: "BadDigest" }, "wrong-bytes", "not what its digest says"],
  ["a store without conditions", { status: 501, code: "NotImplemented" }, "refused", "If-None-Match"],
  ["too many requests", { status: 429 }, "rate-limited", "answered 429"],
  ["a failure", { status: 500, code: "InternalError" }, "failed", "answered 500 InternalError"],
  [
    "another region, by header",
    { status: 301, headers: { "x-amz-bucket-region": "eu-central-1" } },
    "refused",
    "the bucket is in region eu-central-1; say so in region",
  ],
  [
    "another region, by body",
    { status: 400, code: "AuthorizationHeaderMalformed", more: "<Region>eu-west-1</Region>" },
    "refused",
    "the bucket is in region eu-west-1",
  ],
  ["another place", { status: 307, code: "TemporaryRedirect" }, "refused", "the bucket is elsewhere"],
  [
    "a clock that is behind",
    { status: 403, code: "RequestTimeTooSkewed", headers: dateOf(nowMs + 20 * 60_000) },
    "denied",
    "the clock of this machine is 20 minutes behind the store's",
  ],
  [
    "a clock that is ahead, without a code",
    { status: 403, headers: dateOf(nowMs - 30 * 60_000) },
    "denied",
    "the clock of this machine is 30 minutes ahead of the store's",
  ],
  ["a skew without a date", { status: 403, code: "RequestTimeTooSkewed" }, "denied", "and the store's differ"],
  ["clocks that agree", { status: 403, headers: dateOf(nowMs) }, "denied", "store.test answered 403"],
])("%s is explained", (_, answer, reason, message) => {
  const said = explain(refusal(answer), clock);
  expect<string>(said.reason).toBe(reason);
  expect(said.status).toBe(answer.status);
  expect(said.message).toContain(message);
});

test("only names are shown, never what a store says beside them", () => {
  const more = "<Message>secret one</Message><StringToSign>secret two</StringToSign><Region>secret three</Region>";
  const said = explain(refusal({ status: 400, code: "secret\nfour", more }), clock);
  expect(said.message).toBe("store.test answered 400");
});

test("Retry-After comes back as a time", () => {
  expect(explain(refusal({ status: 503, code: "SlowDown", headers: { "Retry-After": "7" } }), clock)).toMatchObject({
    reason: "failed",
    retryAfterMs: 7000,
  });
});

test.each<[Answer, boolean]>([
  [{ status: 500 }, true],
  [{ status: 503, code: "SlowDown" }, true],
  [{ status: 429 }, true],
  [{ status: 408 }, true],
  [{ status: 400, code: "RequestTimeout" }, true],
  [{ status: 200, code: "InternalError" }, true],
  [{ status: 501 }, false],
  [{ status: 403, code: "AccessDenied" }, false],
  [{ status: 412 }, false],
  [{ status: 409, code: "ConditionalRequestConflict" }, false],
])("%j passes: %p", (answer, expected) => {
  expect(isPassing(refusal(answer))).toBe(expected);
});
