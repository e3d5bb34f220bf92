import { expect, test } from "bun:test";
import fc from "fast-check";
import type { UnavailableReason } from "../registry/remote.ts";
import { errorReply, failureStatus, originHeaders, refusalReply, unavailableReply, warningHeaders } from "./replies.ts";

test("an error's body is the OCI's, and nothing but JSON", async () => {
  const reply = errorReply(404, "BLOB_UNKNOWN", 'no "such" blob', { "OCI-Namespace": "quay.io" });
  expect(reply.status).toBe(404);
  expect(await reply.json()).toEqual({
    errors: [{ code: "BLOB_UNKNOWN", message: 'no "such" blob', detail: null }],
  });
  expect(Object.fromEntries(reply.headers)).toEqual({
    "content-type": "application/json",
    "oci-namespace": "quay.io",
    "x-content-type-options": "nosniff",
  });
});

test.each([
  [405, { allow: "GET, HEAD" }],
  [405, { allow: "PUT" }],
  [404, {}],
] as const)("a refusal with %d and %p says in Allow what is answered", (status, said) => {
  const reply = refusalReply({ kind: "refuse", status, code: "UNSUPPORTED", message: "no", ...said });
  expect([reply.status, reply.headers.get("allow")]).toEqual([status, "allow" in said ? said.allow : null]);
});

test.each<[UnavailableReason, number, string]>([
  ["rate-limited", 429, "TOOMANYREQUESTS"],
  ["timeout", 504, "UNAVAILABLE"],
  ["denied", 502, "UNAVAILABLE"],
  ["failed", 502, "UNAVAILABLE"],
  ["unreachable", 502, "UNAVAILABLE"],
  ["breaker-open", 502, "UNAVAILABLE"],
  ["refused", 502, "UNAVAILABLE"],
  ["wrong-bytes", 502, "UNAVAILABLE"],
  ["cancelled", 502, "UNAVAILABLE"],
])("no word because of %s is %d %s, never 404", async (reason, status, code) => {
  const reply = unavailableReply(
    {
      kind: "unavailable",
      reason,
      status: 404,
      message: "quay.io is down",
      retryAfterMs: undefined,
    },
    "quay.io",
  );
  expect(reply.status).toBe(status);
  expect(reply.headers.get("retry-after")).toBeNull();
  expect(reply.headers.get("oci-namespace")).toBe("quay.io");
  expect(await reply.json()).toEqual({ errors: [{ code, message: "quay.io is down", detail: null }] });
});

test.each([
  [0, "1"],
  [1, "1"],
  [1000, "1"],
  [1001, "2"],
  [90_000, "90"],
])("after %d ms is said as Retry-After %s, in whole seconds and never none", (retryAfterMs, header) => {
  const reply = unavailableReply(
    {
      kind: "unavailable",
      reason: "rate-limited",
      status: 429,
      message: "slow down",
      retryAfterMs,
    },
    "quay.io",
  );
  expect(reply.headers.get("retry-after")).toBe(header);
});

test.each([
  ["UPSTREAM_FAILED", 502],
  ["UPSTREAM_WRONG_BYTES", 502],
  ["UPSTREAM_DENIED", 502],
  ["UPSTREAM_EGRESS_REFUSED", 502],
  ["UPSTREAM_TIMEOUT", 504],
  ["STORAGE_FAILED", 500],
  ["CONFIG_INVALID", 500],
] as const)("the failure %s is answered with %d", (code, status) => {
  expect(failureStatus(code)).toBe(status);
});

test("what comes from an upstream names it", () => {
  expect(originHeaders("quay.io")["OCI-Namespace"]).toBe("quay.io");
});

test.each<[number | undefined, string | undefined, Record<string, string>]>([
  [undefined, undefined, {}],
  [0, undefined, { Age: "0" }],
  [1999, undefined, { Age: "1" }],
  [60_000, "stale: quay.io is down", { Age: "60", Warning: '299 - "stale: quay.io is down"' }],
  [undefined, "stale", { Age: "0", Warning: '299 - "stale"' }],
  [0, 'a "b" \\ c', { Age: "0", Warning: "299 - \"a 'b' ' c\"" }],
])("an age of %p with warning %p", (ageMs, warning, headers) => {
  expect(warningHeaders(ageMs, warning)).toEqual(headers);
});

test("no text of an upstream breaks out of the warning", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const value = new Headers(warningHeaders(1, text)).get("warning") ?? "";
      expect(value).toMatch(/^299 - "[ !#-[\]-~]{0,200}"$/);
    }),
  );
});
