import { afterEach, expect, test } from "bun:test";
import type { Upstream } from "../config/settings.ts";
import { startDeadline } from "./deadline.ts";
import { Origins } from "./origins.ts";
import { expiredCertificate, goodCertificate, testAuthority, wrongNameCertificate } from "./testing/certificates.ts";
import { testEgress } from "./testing/egress.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { hang } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { upstreamAt } from "./testing/upstream.ts";
import { createTransport, type Egress, type Exchange, type Outgoing } from "./transport.ts";

const started: ScriptedUpstream[] = [];
afterEach(() => {
  for (const upstream of started.splice(0)) upstream.stop();
});

function start(tls?: { readonly cert: string; readonly key: string }): ScriptedUpstream {
  const upstream = startScriptedUpstream(tls === undefined ? {} : { tls });
  started.push(upstream);
  return upstream;
}

function transportOf(egress: Egress = testEgress(), proxy?: string): Exchange {
  return createTransport({ fetch, egress, proxy, userAgent: "periplus/1.2.3" });
}

function get(url: string, changes: Partial<Outgoing> = {}, upstream: Partial<Upstream> = {}): Outgoing {
  const target = new Origins(upstreamAt(url, upstream)).own("/a", "");
  return { method: "GET", target, headers: {}, signal: new AbortController().signal, ...changes };
}

function portOf(upstream: ScriptedUpstream): number {
  return Number(new URL(upstream.url).port);
}

test("it sends what is asked and nothing of its own but who it is", async () => {
  const upstream = start();
  upstream.on("GET", "/a", { headers: { "Set-Cookie": "session=1" }, body: "hello" });
  const exchange = transportOf();
  const first = await exchange(get(upstream.url, { headers: { Accept: "text/x", Range: "bytes=1-" } }));
  if (first.kind === "response") expect(await first.response.text()).toBe("hello");
  await exchange(get(upstream.url));
  expect(Object.fromEntries(upstream.requests[0]?.headers ?? [])).toEqual({
    accept: "text/x",
    "accept-encoding": "identity",
    connection: "keep-alive",
    host: upstream.authority,
    range: "bytes=1-",
    "user-agent": "periplus/1.2.3",
  });
  expect(upstream.requests[1]?.headers.has("cookie")).toBeFalse();
});

test("it follows nothing and inflates nothing", async () => {
  const upstream = start();
  const gzipped = Bun.gzipSync("hello");
  upstream.on("GET", "/a", { status: 307, headers: { Location: "/b", "Content-Encoding": "gzip" }, body: gzipped });
  const answer = await transportOf()(get(upstream.url));
  if (answer.kind !== "response") throw new Error(answer.message);
  expect(answer.response.status).toBe(307);
  expect(new Uint8Array(await answer.response.arrayBuffer())).toEqual(gzipped);
  expect(upstream.requests.length).toBe(1);
});

test.each([
  ["no answer", { cut: { at: "head", by: "fin" } }],
  ["a reset", { cut: { at: "head", by: "rst" } }],
] as const)("%s is unreachable", async (_, reply) => {
  const upstream = start();
  upstream.on("GET", "/a", reply);
  expect(await transportOf()(get(upstream.url))).toMatchObject({ kind: "unavailable", reason: "unreachable" });
});

test("a port where nobody listens is unreachable, a name without an address too, and both are named", async () => {
  const upstream = start();
  upstream.stop();
  for (const url of [upstream.url, "https://nowhere.test"]) {
    const answer = await transportOf()(get(url));
    if (answer.kind === "response") throw new Error("nobody is there");
    expect(answer.reason).toBe("unreachable");
    expect(answer.message).toContain(new URL(url).host);
  }
});

test("a hung upstream is a timeout when the time is over, and cancelled when the caller gives up", async () => {
  const upstream = start();
  const clock = createManualClock();
  const caller = new AbortController();
  const deadline = startDeadline(clock, { signal: caller.signal, timeoutMs: 5000 });
  const asked = Promise.withResolvers<void>();
  upstream.on("GET", "/a", () => {
    asked.resolve();
    return hang;
  });
  const late = transportOf()(get(upstream.url, { signal: deadline.signal }));
  const dropped = transportOf()(get(upstream.url, { signal: caller.signal }));
  await asked.promise;
  clock.advance(5000);
  expect(await late).toMatchObject({ reason: "timeout" });
  caller.abort();
  expect(await dropped).toMatchObject({ reason: "cancelled" });
  expect(await transportOf()(get(upstream.url, { signal: deadline.signal }))).toMatchObject({ reason: "timeout" });
});

test("a look-up that hangs ends with the call", async () => {
  const caller = new AbortController();
  const lookUp: Egress = (_url, _policy, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  const pending = transportOf(lookUp)(get("https://registry.test", { signal: caller.signal }));
  caller.abort();
  expect(await pending).toMatchObject({ reason: "cancelled" });
});

test("nothing is sent to an address that is not allowed, and the address is not told", async () => {
  const upstream = start();
  const answer = await transportOf()(get(upstream.url, {}, { mayBePrivate: false }));
  expect(answer).toMatchObject({ reason: "refused" });
  const lookUp: Egress = () =>
    Promise.resolve({ kind: "refused", reason: "registry.test is at 10.1.2.3: private use" });
  const named = await transportOf(lookUp)(get("https://registry.test"));
  if (named.kind === "response") throw new Error("it should be refused");
  expect(named.message).toContain("registry.test");
  expect(named.message).not.toContain("10.1.2.3");
  expect(upstream.connections()).toBe(0);
});

test("plain HTTP is for loopback and for what is marked insecure", async () => {
  const upstream = start();
  upstream.on("GET", "/a", { body: "x" });
  const exchange = transportOf(testEgress({ "registry.test": portOf(upstream) }));
  const refused = await exchange(get("http://registry.test"));
  if (refused.kind === "response") throw new Error("it should be refused");
  expect([refused.reason, refused.message.includes("plain HTTP")]).toEqual(["refused", true]);
  expect((await exchange(get("http://registry.test", {}, { insecure: true }))).kind).toBe("response");
  expect(upstream.requests.length).toBe(1);
});

test("when one address does not accept, the next one is tried", async () => {
  const upstream = start();
  const closed = start();
  closed.stop();
  upstream.on("GET", "/a", { body: "here" });
  const fetched: string[] = [];
  const exchange = createTransport({
    fetch: (url, init) => {
      fetched.push(new URL(url).hostname);
      return fetch(
        url.replace("[::1]", "127.0.0.1").replace(/:\d+\//, fetched.length === 1 ? `:${portOf(closed)}/` : "$&"),
        init,
      );
    },
    egress: (url) =>
      Promise.resolve({
        kind: "allowed",
        origin: url.origin,
        addresses: ["::1", "127.0.0.1"],
        port: portOf(upstream),
        serverName: undefined,
      }),
    proxy: undefined,
    userAgent: "x",
  });
  expect((await exchange(get(upstream.url))).kind).toBe("response");
  expect(fetched).toEqual(["[::1]", "127.0.0.1"]);
});

test("an address that let the time run out is tried last the next time", async () => {
  const upstream = start();
  upstream.on("GET", "/a", { body: "here" });
  const clock = createManualClock();
  const fetched: string[] = [];
  const exchange = createTransport({
    fetch: (url, init) => {
      fetched.push(new URL(url).hostname);
      if (!url.includes("127.0.0.2")) return fetch(url, init);
      return new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    },
    egress: (url) => {
      const addresses = ["127.0.0.2", "127.0.0.1"] as const;
      return Promise.resolve({
        kind: "allowed",
        origin: url.origin,
        addresses,
        port: portOf(upstream),
        serverName: undefined,
      });
    },
    proxy: undefined,
    userAgent: "x",
  });
  const limits = { signal: new AbortController().signal, timeoutMs: 5000 };
  const late = exchange(get(upstream.url, { signal: startDeadline(clock, limits).signal }));
  while (fetched.length === 0) await Promise.resolve();
  clock.advance(5000);
  expect(await late).toMatchObject({ reason: "timeout" });
  expect((await exchange(get(upstream.url))).kind).toBe("response");
  expect(fetched).toEqual(["127.0.0.2", "127.0.0.1"]);
});

test.each<[string, { readonly cert: string; readonly key: string }, Partial<Upstream>, string]>([
  ["its own authority", goodCertificate, { ca: testAuthority }, "ok"],
  ["an unknown authority", goodCertificate, {}, "signed by an authority that is not trusted here"],
  ["another name", wrongNameCertificate, { ca: testAuthority }, "for another name"],
  ["an old certificate", expiredCertificate, { ca: testAuthority }, "has expired"],
  ["an old certificate, unchecked", expiredCertificate, { insecure: true }, "ok"],
])("TLS with %s", async (_, certificate, changes, expected) => {
  const upstream = start(certificate);
  upstream.on("GET", "/a", (request) => ({ body: request.headers.get("host") ?? "" }));
  const exchange = transportOf(testEgress({ "registry.test": portOf(upstream) }));
  const answer = await exchange(get("https://registry.test", {}, changes));
  if (answer.kind === "response") {
    expect([await answer.response.text(), "ok"]).toEqual(["registry.test", expected]);
    return;
  }
  expect(answer.reason).toBe("unreachable");
  expect(answer.message).toContain("certificate of registry.test");
  expect(answer.message).toContain(expected);
  expect(upstream.requests.length).toBe(0);
});

test("connections are kept: two requests to one TLS upstream make one", async () => {
  const upstream = start(goodCertificate);
  upstream.on("GET", "/a", { body: "x" });
  const exchange = transportOf(testEgress({ "registry.test": portOf(upstream) }));
  for (let i = 0; i < 2; i++) {
    const answer = await exchange(get("https://registry.test", {}, { ca: testAuthority }));
    if (answer.kind === "response") await answer.response.text();
  }
  expect(upstream.connections()).toBe(1);
});

test("through a proxy the name is sent, addresses are still checked", async () => {
  const proxy = start();
  proxy.on("GET", "http://registry.test:5000/a", { body: "by proxy" });
  const exchange = transportOf(testEgress(), proxy.url);
  const answer = await exchange(get("http://registry.test:5000", {}, { insecure: true }));
  expect(answer.kind === "response" ? await answer.response.text() : answer.message).toBe("by proxy");
  expect(await exchange(get("http://registry.test:5000"))).toMatchObject({ reason: "refused" });
  expect(await exchange(get("http://127.0.0.1:1", {}, { mayBePrivate: false }))).toMatchObject({ reason: "refused" });
  expect(proxy.requests.length).toBe(1);
  proxy.stop();
  const gone = await exchange(get("http://registry.test:5001", {}, { insecure: true }));
  expect(gone).toMatchObject({ kind: "unavailable", reason: "unreachable" });
});
