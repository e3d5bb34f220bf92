import { afterEach, expect, test } from "bun:test";
import type { Credential } from "../config/credential.ts";
import { goodCertificate, testAuthority } from "./testing/certificates.ts";
import { clientOf } from "./testing/client.ts";
import { blobReplies, digestOf, manifestReply, repository, tag } from "./testing/content.ts";
import type { Script, ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { issueTokens } from "./testing/token-issuer.ts";

const started: ScriptedUpstream[] = [];
afterEach(() => {
  for (const upstream of started.splice(0)) upstream.stop();
});
function start(transport: "plain" | "tls" = "plain"): ScriptedUpstream {
  const upstream = startScriptedUpstream(transport === "tls" ? { tls: goodCertificate } : {});
  started.push(upstream);
  return upstream;
}

const name = repository("kube/pause");
const content = new Uint8Array(1000).fill(7);
const blob = digestOf(content);
const manifest = "/v2/kube/pause/manifests/3.9";
const blobPath = `/v2/kube/pause/blobs/${blob}`;
const whole = { startByte: 0, endByte: undefined };
const secret = "canary-secret";
const password: Credential = { kind: "basic", username: "canary-user", password: secret };
const identity: Credential = { kind: "identity-token", token: secret };

/** Nothing that a canary recorded may hold the credential in any spelling; it may have got the token that it gave itself. */
function expectUntold(canary: ScriptedUpstream): void {
  const told = canary.requests.map((request) => JSON.stringify([request.target, [...request.headers], request.body]));
  const encoded = [secret, Buffer.from(`canary-user:${secret}`).toString("base64"), encodeURIComponent(secret)];
  for (const text of told) for (const spelling of encoded) expect(text).not.toContain(spelling);
  for (const { headers } of canary.requests) {
    expect([undefined, "Bearer anonymous"]).toContain(headers.get("authorization"));
    expect(headers.has("proxy-authorization") || headers.has("cookie")).toBeFalse();
  }
}

test.each<[string, Credential, (canary: ScriptedUpstream) => string]>([
  ["a stranger's realm", password, (canary) => `Bearer realm="${canary.url}/token"`],
  ["a stranger's realm, identity token", identity, (canary) => `Bearer realm="${canary.url}/token"`],
  ["a stranger's realm beside Basic", password, (canary) => `Basic realm="x", Bearer realm="${canary.url}/token"`],
  [
    "a realm with a user that looks like home",
    password,
    (canary) => `Bearer realm="http://127.0.0.1:1@${canary.authority}/token"`,
  ],
  ["a realm on a private host", password, () => `Bearer realm="https://10.0.0.1/token"`],
])("%s gets no credential (T1)", async (_, credential, challengeOf) => {
  const [upstream, canary] = [start(), start()];
  canary.on("GET", "/token", { body: `{"token":"x"}` });
  canary.on("POST", "/token", { body: `{"token":"x"}` });
  upstream.on("GET", manifest, { status: 401, headers: { "WWW-Authenticate": challengeOf(canary) } });
  const { registry, limits } = clientOf(upstream.url, { credential });
  const answer = await registry.getManifest(name, tag("3.9"), limits);
  expect(answer).toMatchObject({ kind: "unavailable", reason: "refused" });
  expect(canary.requests.length).toBe(0);
  expectUntold(upstream);
});

test("the refusal names the host that wanted the credential", async () => {
  const [upstream, canary] = [start(), start()];
  upstream.on("GET", manifest, { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${canary.url}/token"` } });
  const { registry, limits } = clientOf(upstream.url, { credential: password });
  const answer = await registry.getManifest(name, tag("3.9"), limits);
  expect(answer.kind === "unavailable" ? answer.message : "").toContain(canary.authority);
});

test("a known token host gets the credential, the registry itself only the token", async () => {
  const [upstream, service] = [start(), start()];
  const issuer = issueTokens(service, `${service.url}/token`);
  upstream.on("GET", manifest, issuer.protect(manifestReply("{}")));
  const { registry, limits } = clientOf(upstream.url, {
    credential: password,
    upstream: { tokenHosts: [service.authority] },
  });
  expect((await registry.getManifest(name, tag("3.9"), limits)).kind).toBe("found");
  expect(service.requests[0]?.headers.get("authorization")).toStartWith("Basic ");
  expect(upstream.requests.map((request) => request.headers.get("authorization"))).toEqual([
    undefined,
    "Bearer token-1",
  ]);
});

const elsewhere: readonly [string, (canary: ScriptedUpstream) => Script][] = [
  ["serves the bytes", () => blobReplies(content)],
  ["wants Basic", () => ({ status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } })],
  [
    "wants a token from itself",
    (canary) => ({ status: 401, headers: { "WWW-Authenticate": `Bearer realm="${canary.url}/token"` } }),
  ],
  ["redirects on to itself", () => [{ status: 302, headers: { Location: "?again" } }, { status: 401 }]],
];

const places: readonly string[] = ["/signed", `/v2/other/blobs/${blob}`];

test.each(
  elsewhere.flatMap(([what, script]) =>
    places.flatMap((place) =>
      [password, identity].flatMap((credential) =>
        [301, 302, 303, 307, 308].map((status) => ({ what, script, place, credential, status })),
      ),
    ),
  ),
)("by $status to $place of a host which $what: it sees no credential (T2, T3)", async (given) => {
  const [upstream, canary] = [start(), start()];
  const issuer = issueTokens(upstream, `${upstream.url}/token`);
  canary.on("GET", given.place, given.script(canary));
  canary.on("GET", "/token", { body: `{"token":"anonymous"}` });
  canary.on("POST", "/token", { body: `{"token":"anonymous"}` });
  const headers = { Location: `${canary.url}${given.place}?sig=abc` };
  upstream.on("GET", blobPath, issuer.protect({ status: given.status, headers }));
  const { registry, limits } = clientOf(upstream.url, {
    credential: given.credential,
    upstream: { redirectHosts: ["127.0.0.1"] },
  });
  const answer = await registry.getBlob(name, blob, whole, limits);
  if (answer.kind === "found") expect(await new Response(answer.body).bytes()).toEqual(content);
  else expect(answer).toMatchObject({ reason: "denied" });
  expect(canary.count("GET", given.place)).toBeGreaterThan(0);
  expectUntold(canary);
});

test("a Basic header that is sent at once stops at the first other origin, and does not come back with the way", async () => {
  const [upstream, canary] = [start(), start()];
  const wants = { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } };
  const home =
    (reply: ScriptedReply): Script =>
    (request) =>
      request.headers.has("authorization") ? reply : wants;
  upstream.on("GET", manifest, home(manifestReply("{}")));
  upstream.on("GET", blobPath, home({ status: 307, headers: { Location: `${canary.url}/signed` } }));
  canary.on("GET", "/signed", { status: 307, headers: { Location: `${upstream.url}/back` } });
  upstream.on("GET", "/back", blobReplies(content));
  const { registry, limits } = clientOf(upstream.url, {
    credential: password,
    upstream: { redirectHosts: ["127.0.0.1"] },
  });
  await registry.getManifest(name, tag("3.9"), limits);
  expect((await registry.getBlob(name, blob, whole, limits)).kind).toBe("found");
  expectUntold(canary);
  const back = upstream.requests.filter((request) => request.path === "/back");
  expect(back.map((request) => request.headers.get("authorization"))).toEqual([undefined]);
});

test("a redirect within the origin keeps its authorization, range and Accept", async () => {
  const upstream = start();
  const issuer = issueTokens(upstream, `${upstream.url}/token`);
  upstream.on("GET", blobPath, issuer.protect({ status: 307, headers: { Location: "/moved" } }));
  upstream.on("GET", "/moved", issuer.protect(blobReplies(content)));
  const { registry, limits } = clientOf(upstream.url, { credential: password });
  const answer = await registry.getBlob(name, blob, { startByte: 900, endByte: undefined }, limits);
  expect(answer).toMatchObject({ kind: "found", startByte: 900, sizeBytes: 1000 });
});

test.each<[string, string, object]>([
  ["a loop", "/v2/kube/pause/blobs/LOOP", { reason: "refused" }],
  ["loopback", "http://127.0.0.1:9/x", { reason: "refused" }],
  ["a private address over https", "https://10.0.0.1/x", { reason: "refused" }],
  ["cloud metadata", "https://169.254.169.254/latest", { reason: "refused" }],
  ["an address in another spelling", "https://0x7f.1/x", { reason: "refused" }],
  ["an IPv6 address", "https://[::1]/x", { reason: "refused" }],
  ["a mapped address", "https://[::ffff:10.0.0.1]/x", { reason: "refused" }],
  ["plain HTTP", "http://cdn.test/x", { reason: "refused" }],
  ["another scheme", "ftp://cdn.test/x", { reason: "refused" }],
  ["nowhere", "", { reason: "refused" }],
])("a redirect to %s is refused (F10)", async (_, location, expected) => {
  const upstream = start();
  const target = location.replace("LOOP", blob);
  upstream.on("GET", blobPath, { status: 307, headers: { Location: target } });
  const { registry, limits } = clientOf(upstream.url, { credential: password });
  expect(await registry.getBlob(name, blob, whole, limits)).toMatchObject(expected);
  expect(upstream.requests.length).toBe(target === blobPath ? 6 : 1);
});

test("five redirects are followed", async () => {
  const upstream = start();
  upstream.on("GET", blobPath, { status: 307, headers: { Location: "/1" } });
  for (let i = 1; i < 5; i++) upstream.on("GET", `/${i}`, { status: 302, headers: { Location: `/${i + 1}` } });
  upstream.on("GET", "/5", blobReplies(content));
  const { registry, limits } = clientOf(upstream.url);
  expect((await registry.getBlob(name, blob, whole, limits)).kind).toBe("found");
});

test("a signed URL keeps its query and is in no message", async () => {
  const [upstream, cdn] = [start("tls"), start("tls")];
  const signed = "/bucket/x?X-Amz-Signature=canary%2Fsig&a=b%20c";
  upstream.on("GET", blobPath, { status: 307, headers: { Location: `https://cdn.test${signed}` } });
  cdn.on("GET", "/bucket/x", { status: 403 });
  const { registry, limits } = clientOf("https://registry.test", {
    upstream: { ca: testAuthority, mayBePrivate: false },
    names: { "registry.test": upstream, "cdn.test": cdn },
  });
  const answer = await registry.getBlob(name, blob, whole, limits);
  expect(cdn.requests[0]?.target).toBe(signed);
  if (answer.kind !== "unavailable") throw new Error("it should be denied");
  expect([answer.reason, answer.message.includes("cdn.test"), answer.message.includes("canary")]).toEqual([
    "denied",
    true,
    false,
  ]);
});

test.each<[number, "a registry's" | "a bucket's", object]>([
  [404, "a registry's", { kind: "absent" }],
  [404, "a bucket's", { kind: "unavailable", reason: "failed" }],
])("a %p at %s path behind a redirect is taken for what it is", async (status, whose, expected) => {
  const [upstream, other] = [start("tls"), start("tls")];
  const path = whose === "a registry's" ? `/v2/prod/pause/blobs/${blob}` : "/bucket/x";
  upstream.on("GET", blobPath, { status: 307, headers: { Location: `https://other.test${path}` } });
  other.on("GET", path, { status });
  const { registry, limits } = clientOf("https://registry.test", {
    upstream: { ca: testAuthority },
    names: { "registry.test": upstream, "other.test": other },
  });
  expect(await registry.getBlob(name, blob, whole, limits)).toMatchObject(expected);
});

test("a registry behind a redirect is asked for an anonymous token of its own, once", async () => {
  const [upstream, other] = [start("tls"), start("tls")];
  const issuer = issueTokens(other, "https://other.test/token");
  const path = "/v2/prod/images/pause/manifests/3.9";
  upstream.on("GET", manifest, { status: 307, headers: { Location: `https://other.test${path}` } });
  other.on("GET", path, issuer.protect(manifestReply("{}")));
  const { registry, limits } = clientOf("https://registry.test", {
    credential: password,
    upstream: { ca: testAuthority },
    names: { "registry.test": upstream, "other.test": other },
  });
  for (let i = 0; i < 2; i++) expect((await registry.getManifest(name, tag("3.9"), limits)).kind).toBe("found");
  const asked = other.requests.filter((request) => request.path === "/token");
  expect(asked.map((request) => [request.target, request.headers.get("authorization")])).toEqual([
    ["/token?service=registry.test&scope=repository%3Aprod%2Fimages%2Fpause%3Apull", undefined],
  ]);
  expect(other.count("GET", path)).toBe(3);
});

test("a registry behind a redirect whose realm is elsewhere is not followed there", async () => {
  const [upstream, other, canary] = [start("tls"), start("tls"), start("tls")];
  const path = "/v2/prod/pause/manifests/3.9";
  upstream.on("GET", manifest, { status: 307, headers: { Location: `https://other.test${path}` } });
  other.on("GET", path, { status: 401, headers: { "WWW-Authenticate": 'Bearer realm="https://auth.test/token"' } });
  const { registry, limits } = clientOf("https://registry.test", {
    credential: password,
    upstream: { ca: testAuthority, tokenHosts: ["auth.test"] },
    names: { "registry.test": upstream, "other.test": other, "auth.test": canary },
  });
  expect(await registry.getManifest(name, tag("3.9"), limits)).toMatchObject({ reason: "denied" });
  expect(canary.requests.length).toBe(0);
  expectUntold(other);
});

test("an https upstream that leads to plain HTTP is refused, redirects and realms alike", async () => {
  const upstream = start("tls");
  upstream.on("GET", blobPath, { status: 307, headers: { Location: "http://registry.test/x" } });
  upstream.on("GET", manifest, {
    status: 401,
    headers: { "WWW-Authenticate": 'Bearer realm="http://registry.test/token"' },
  });
  const { registry, limits } = clientOf("https://registry.test", {
    credential: password,
    upstream: { ca: testAuthority, insecure: true, redirectHosts: [] },
    names: { "registry.test": upstream },
  });
  expect(await registry.getBlob(name, blob, whole, limits)).toMatchObject({ reason: "refused" });
  expect(await registry.getManifest(name, tag("3.9"), limits)).toMatchObject({ reason: "refused" });
});
