import { expect, test } from "bun:test";
import { accessLog, type Exchange, type Notes } from "./record.ts";

const secrets = ["Basic YW5uOnNlY3JldA==", "session=secret", "secret-query", "secret-answer"];

function exchange(changes: Partial<Exchange> = {}): Exchange {
  const request = new Request("http://cache.test/v2/a/manifests/1?token=secret-query", {
    headers: { authorization: secrets[0]!, cookie: secrets[1]!, "user-agent": "containerd/2.0" },
  });
  const response = new Response("{}", {
    status: 401,
    headers: { "content-length": "2", "www-authenticate": "secret-answer" },
  });
  return { request, path: "/v2/a/manifests/1", response, durationMs: 1.23456, atMs: 0, ...changes };
}

const notes: Notes = { decision: "cache", upstream: "quay.io", origin: "stale", error: 'it said\n"no"' };

function written(format: "json" | "text", what = exchange(), why = notes): string {
  const lines: string[] = [];
  accessLog(format, (line) => lines.push(line)).write(what, why);
  expect(lines.length).toBe(1);
  return lines[0] ?? "";
}

test("a record is one line of JSON with what happened and what was noted", () => {
  const line = written("json");
  expect(line).not.toContain("\n");
  expect(JSON.parse(line)).toEqual({
    time: "1970-01-01T00:00:00.000Z",
    method: "GET",
    path: "/v2/a/manifests/1",
    status: 401,
    ms: 1.23,
    size: 2,
    ...notes,
    agent: "containerd/2.0",
  });
});

test("a record for people is one line too", () => {
  const line = written("text", exchange(), { ...notes, error: "it said no" });
  expect(line).toBe("00:00:00.000 401 GET /v2/a/manifests/1 1.2ms cache stale quay.io it said no");
});

test.each(["json", "text"] as const)("no header, query or answer shows in %s", (format) => {
  const line = written(format);
  for (const secret of secrets) expect(line).not.toContain(secret);
});

test.each(["json", "text"] as const)("no client can begin a line of its own in %s", (format) => {
  const request = new Request("http://cache.test/", { headers: { "user-agent": `a${"b".repeat(500)}` } });
  const line = written(format, exchange({ request, path: "/v2/\r\n\u001b[2J" }));
  expect(line).not.toMatch(/\p{Cc}/u);
  expect(line.length).toBeLessThan(600);
});

test("without a length none is said", () => {
  expect(JSON.parse(written("json", exchange({ response: new Response(null) })))).not.toHaveProperty("size");
});

test("a log that is off writes nothing and says that it is off", () => {
  const lines: string[] = [];
  const log = accessLog("off", (line) => lines.push(line));
  log.write(exchange(), notes);
  expect([log.isOff, lines]).toEqual([true, []]);
});
