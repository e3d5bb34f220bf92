import { afterEach, expect, test } from "bun:test";
import { createRemoteRegistry } from "./client.ts";
import type { Credential } from "../config/credential.ts";
import { clientOf, type TestClient } from "./testing/client.ts";
import { blobReplies, digestOf, manifestReply, repository, tag } from "./testing/content.ts";
import { createLatch, type Script } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { issueTokens, type TokenIssuerOptions } from "./testing/token-issuer.ts";
import { upstreamAt } from "./testing/upstream.ts";

const started: ScriptedUpstream[] = [];
afterEach(() => {
  for (const upstream of started.splice(0)) upstream.stop();
});
function start(): ScriptedUpstream {
  const upstream = startScriptedUpstream();
  started.push(upstream);
  return upstream;
}

const name = repository("kube/pause");
const path = "/v2/kube/pause/manifests/3.9";
const password: Credential = { kind: "basic", username: "user", password: "pässword" };
const basic = `Basic ${Buffer.from("user:pässword").toString("base64")}`;
const identity: Credential = { kind: "identity-token", token: "refresh/token" };

/** An upstream that wants tokens from itself. */
function guarded(options: TokenIssuerOptions = {}) {
  const upstream = start();
  const issuer = issueTokens(upstream, `${upstream.url}/token`, options);
  upstream.on("GET", path, issuer.protect(manifestReply("{}")));
  return { upstream, issuer };
}

async function kindOf({ registry, limits }: TestClient): Promise<string> {
  const answer = await registry.getManifest(name, tag("3.9"), limits);
  return answer.kind === "unavailable" ? answer.reason : answer.kind;
}

test("a token is asked for once, for our own scope, and sent at once from then on", async () => {
  const { upstream, issuer } = guarded({ authorization: basic });
  const client = clientOf(upstream.url, { credential: password });
  for (let i = 0; i < 3; i++) expect(await kindOf(client)).toBe("found");
  expect(issuer.issued()).toBe(1);
  expect(upstream.count("GET", path)).toBe(4);
  const asked = new URL(upstream.requests.find((request) => request.path === "/token")?.target ?? "", upstream.url);
  expect(Object.fromEntries(asked.searchParams)).toEqual({
    service: "registry.test",
    scope: "repository:kube/pause:pull",
  });
});

test("the upstream's path is part of the scope, and each repository has its own token", async () => {
  const upstream = start();
  const issuer = issueTokens(upstream, `${upstream.url}/token`);
  const client = clientOf(upstream.url, { upstream: { path: "prod" } });
  for (const other of ["a", "b", "a"]) {
    upstream.on("GET", `/v2/prod/${other}/manifests/1`, issuer.protect(manifestReply("{}")));
    expect((await client.registry.getManifest(repository(other), tag("1"), client.limits)).kind).toBe("found");
  }
  const scopes = upstream.requests.flatMap((request) =>
    request.path === "/token" ? [request.target.split("scope=")[1]] : [],
  );
  expect(scopes).toEqual(["repository%3Aprod%2Fa%3Apull", "repository%3Aprod%2Fb%3Apull"]);
});

test("an identity token is exchanged by POST and never sent in a header", async () => {
  const { upstream } = guarded();
  expect(await kindOf(clientOf(upstream.url, { credential: identity }))).toBe("found");
  const asked = upstream.requests.find((request) => request.path === "/token");
  expect([asked?.method, asked?.headers.get("authorization")]).toEqual(["POST", undefined]);
  expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
    grant_type: "refresh_token",
    client_id: "periplus",
    service: "registry.test",
    scope: "repository:kube/pause:pull",
    refresh_token: "refresh/token",
  });
});

test("a registry that wants Basic gets it when it asked, and at once from then on", async () => {
  const upstream = start();
  upstream.on("GET", path, (request) =>
    request.headers.get("authorization") === basic
      ? manifestReply("{}")
      : { status: 401, headers: { "WWW-Authenticate": 'Basic realm="registry"' } },
  );
  const client = clientOf(upstream.url, { credential: password });
  for (let i = 0; i < 2; i++) expect(await kindOf(client)).toBe("found");
  expect(upstream.requests.map((request) => request.headers.get("authorization"))).toEqual([undefined, basic, basic]);
});

test.each<[string, Credential | undefined, string, number]>([
  ["wrong Basic", password, 'Basic realm="x"', 2],
  ["Basic and nothing to say", undefined, 'Basic realm="x"', 1],
  ["Basic for an identity token", identity, 'Basic realm="x"', 1],
  ["another scheme", password, "Negotiate", 1],
  ["no challenge", password, "", 1],
  ["a Bearer without a realm", password, 'Bearer service="x"', 1],
])("%s is denied after as many requests as could help", async (_, credential, challenge, requests) => {
  const upstream = start();
  upstream.on("GET", path, { status: 401, headers: { "WWW-Authenticate": challenge } });
  expect(await kindOf(clientOf(upstream.url, credential === undefined ? {} : { credential }))).toBe("denied");
  expect(upstream.requests.length).toBe(requests);
});

test("a changed password is read again after a refusal", async () => {
  const upstream = start();
  const client = clientOf(upstream.url, { credential: password });
  const want =
    (authorization: string): Script =>
    (request) =>
      request.headers.get("authorization") === authorization
        ? manifestReply("{}")
        : { status: 401, headers: { "WWW-Authenticate": 'Basic realm="registry"' } };
  upstream.on("GET", path, want("Basic another"));
  expect(await kindOf(client)).toBe("denied");
  upstream.on("GET", path, want(basic));
  expect(await kindOf(client)).toBe("found");
});

test("a token that runs out is renewed before its time, not at it", async () => {
  const { upstream, issuer } = guarded({ expiresInS: 100 });
  const client = clientOf(upstream.url);
  await kindOf(client);
  client.clock.advance(69_999);
  await kindOf(client);
  expect(issuer.issued()).toBe(1);
  client.clock.advance(1);
  await kindOf(client);
  expect([issuer.issued(), upstream.count("GET", path)]).toEqual([2, 4]);
});

test("a token that is no longer accepted is renewed in the middle of a pull (F12)", async () => {
  const { upstream, issuer } = guarded({ requestsPerToken: 2 });
  const content = new Uint8Array(100).fill(1);
  const blob = digestOf(content);
  upstream.on("GET", `/v2/kube/pause/blobs/${blob}`, issuer.protect(blobReplies(content)));
  const { registry, limits } = clientOf(upstream.url);
  for (let startByte = 0; startByte < 5; startByte++) {
    const answer = await registry.getBlob(name, blob, { startByte, endByte: undefined }, limits);
    if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
    expect((await new Response(answer.body).bytes()).byteLength).toBe(100 - startByte);
  }
  expect(issuer.issued()).toBe(3);
});

test("a token that no registry accepts is asked for once a call, then denied", async () => {
  const { upstream, issuer } = guarded({ requestsPerToken: 0 });
  const client = clientOf(upstream.url);
  expect(await kindOf(client)).toBe("denied");
  expect([issuer.issued(), upstream.count("GET", path)]).toEqual([1, 2]);
  expect(await kindOf(client)).toBe("denied");
  expect([issuer.issued(), upstream.count("GET", path)]).toEqual([2, 3]);
});

test("a registry that moved its token service is followed there within one call", async () => {
  const { upstream, issuer } = guarded();
  const client = clientOf(upstream.url);
  await kindOf(client);
  client.clock.advance(600_000);
  upstream.on("GET", "/new", { body: `{"token":"moved"}` });
  upstream.on("GET", path, (request) =>
    request.headers.get("authorization") === "Bearer moved"
      ? manifestReply("{}")
      : { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${upstream.url}/new"` } },
  );
  expect(await kindOf(client)).toBe("found");
  expect([issuer.issued(), upstream.count("GET", "/new")]).toEqual([2, 1]);
});

test("a hundred calls that need a token get it from one request", async () => {
  const { upstream, issuer } = guarded();
  const latch = createLatch();
  const give: Script = async () => {
    await latch.opened;
    return { body: JSON.stringify({ access_token: "late", expires_in: 300 }) };
  };
  upstream.on("GET", "/token", give);
  upstream.on("GET", path, (request) =>
    request.headers.get("authorization") === "Bearer late"
      ? manifestReply("{}")
      : { status: 401, headers: { "WWW-Authenticate": issuer.challenge } },
  );
  const client = clientOf(upstream.url, { upstream: { budget: { requests: undefined, perMs: 1, concurrent: 100 } } });
  const impatient = new AbortController();
  const left = client.registry.headManifest(name, tag("3.9"), { signal: impatient.signal, timeoutMs: 5000 });
  const calls = Array.from({ length: 100 }, () => kindOf(client));
  while (upstream.count("GET", "/token") === 0) await new Promise((resolve) => setImmediate(resolve));
  impatient.abort();
  expect(await left).toMatchObject({ reason: "cancelled" });
  latch.open();
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["found"]));
  expect(upstream.count("GET", "/token")).toBe(1);
});

test("a token that ran out under a hundred calls is renewed once for all", async () => {
  const { upstream, issuer } = guarded();
  const client = clientOf(upstream.url);
  await kindOf(client);
  const revoked = upstream.requests.at(-1)?.headers.get("authorization");
  const script = issuer.protect(manifestReply("{}"));
  upstream.on("GET", path, async (request, nth) =>
    request.headers.get("authorization") === revoked || typeof script !== "function"
      ? { status: 401, headers: { "WWW-Authenticate": issuer.challenge } }
      : await script(request, nth),
  );
  const kinds = await Promise.all(Array.from({ length: 100 }, () => kindOf(client)));
  expect(new Set(kinds)).toEqual(new Set(["found"]));
  expect(issuer.issued()).toBe(2);
});

test.each<[string, Script, string]>([
  ["401", { status: 401 }, "denied"],
  ["403", { status: 403 }, "denied"],
  ["429", { status: 429, headers: { "Retry-After": "60" } }, "rate-limited"],
  ["500", { status: 500 }, "failed"],
  ["404", { status: 404 }, "failed"],
  ["a redirect", { status: 307, headers: { Location: "/elsewhere" } }, "refused"],
  ["no JSON", { body: "token" }, "refused"],
  ["no object", { body: "[]" }, "refused"],
  ["no token", { body: "{}" }, "refused"],
  ["a token that breaks the header", { body: JSON.stringify({ token: "a\r\nX-Evil: 1" }) }, "refused"],
  ["a token of another type", { body: JSON.stringify({ token: 7 }) }, "refused"],
  ["too much", { body: JSON.stringify({ token: "x", more: "y".repeat(65 * 1024) }) }, "refused"],
  ["nothing", { cut: { at: "head", by: "rst" } }, "unreachable"],
])("a token service that answers %s", async (_, script, reason) => {
  const { upstream } = guarded();
  upstream.on("GET", "/token", script);
  const client = clientOf(upstream.url, { credential: password });
  expect(await kindOf(client)).toBe(reason);
  expect(upstream.requests.some((request) => request.path === "/elsewhere")).toBeFalse();
  const asked = upstream.count("GET", "/token");
  expect(await kindOf(client)).toBe(reason);
  const isHeld = reason === "denied" || reason === "refused" || reason === "rate-limited";
  expect(upstream.count("GET", "/token") === asked).toBe(isHeld);
  if (!isHeld) return;
  client.clock.advance(60_000);
  await kindOf(client);
  expect(upstream.count("GET", "/token")).toBe(asked + 1);
});

test.each<[unknown, number, number]>([
  [undefined, 29_999, 30_000],
  [120, 89_999, 90_000],
  ["120", 89_999, 90_000],
  [null, 29_999, 30_000],
  [-5, 29_999, 30_000],
  [1e9, 3_569_999, 3_570_000],
])("a token whose expires_in is %p is good for %p ms and not for %p", async (expiresIn, goodMs, overMs) => {
  const { upstream } = guarded();
  upstream.on("GET", "/token", { body: JSON.stringify({ token: "x", expires_in: expiresIn }) });
  upstream.on("GET", path, (request) =>
    request.headers.has("authorization")
      ? manifestReply("{}")
      : { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${upstream.url}/token"` } },
  );
  const client = clientOf(upstream.url);
  await kindOf(client);
  client.clock.advance(goodMs);
  await kindOf(client);
  expect(upstream.count("GET", "/token")).toBe(1);
  client.clock.advance(overMs - goodMs);
  await kindOf(client);
  expect(upstream.count("GET", "/token")).toBe(2);
});

test("credentials that cannot be read are an answer that says so", async () => {
  const { upstream } = guarded();
  const registry = createRemoteRegistry({
    upstream: upstreamAt(upstream.url),
    credentials: () => Promise.reject(new Error("no such file")),
  });
  const answer = await registry.headManifest(name, tag("3.9"), {
    signal: new AbortController().signal,
    timeoutMs: 5000,
  });
  expect(answer).toMatchObject({ kind: "unavailable", reason: "denied" });
  expect(upstream.count("GET", "/token")).toBe(0);
});
