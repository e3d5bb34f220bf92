import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import { type AllowedTarget, connectUrl, resolveTarget } from "./egress.ts";
import { issueCertificate } from "./test-certificate.ts";

const commonName = "test CA";
const ca = issueCertificate({ commonName });
const issuer = { ...ca, commonName };

/** A TLS server on loopback that answers each request with the client's port: the same port is the same connection. */
function serverFor(names: {
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}): Bun.Server<undefined> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: issueCertificate({ commonName: "leaf", issuer, ...names }),
    fetch: (request, server) =>
      Response.json({ host: request.headers.get("host"), port: server.requestIP(request)?.port }),
  });
}

interface Answer {
  readonly host: string;
  readonly port: number;
}

/** Fetches `https://NAME/` from a server on loopback the way the guard says to: by address, with the name for TLS and as Host. */
async function get(name: string, server: Bun.Server<undefined>): Promise<Answer> {
  const url = new URL(`https://${name}:${server.port}/`);
  const deps = { lookup: async () => ["127.0.0.1"], signal: new AbortController().signal };
  const target = await resolveTarget(url, { allowPrivate: true, allowHttp: false }, deps);
  if (target.kind !== "allowed") throw new Error(target.reason);
  const connect = connectUrl(target, url);
  const tls = {
    rejectUnauthorized: true,
    ca: ca.cert,
    ...(target.serverName === undefined ? {} : { serverName: target.serverName }),
  };
  const response = await fetch(connect.url, { headers: { host: connect.host }, redirect: "manual", proxy: false, tls });
  return response.json() as Promise<Answer>;
}

/** What a promise is rejected with; undefined when it is not. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("TLS to a checked address", () => {
  let both: Bun.Server<undefined>;
  let addressOnly: Bun.Server<undefined>;
  beforeAll(() => {
    both = serverFor({ dnsNames: ["a.test", "b.test"] });
    addressOnly = serverFor({ addresses: ["127.0.0.1"] });
  });
  afterAll(async () => {
    await both.stop(true);
    await addressOnly.stop(true);
  });

  test("asks for the certificate of the name and sends the name as Host", async () => {
    expect((await get("a.test", both)).host).toBe(`a.test:${both.port}`);
  });

  test("refuses a certificate for another name, or only for the address", async () => {
    expect(await failureOf(get("c.test", both))).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    expect(await failureOf(get("a.test", addressOnly))).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  test("checks the address where the URL has one in place of a name", async () => {
    expect((await get("127.0.0.1", addressOnly)).host).toBe(`127.0.0.1:${addressOnly.port}`);
    expect(await failureOf(get("127.0.0.1", both))).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  test("keeps one connection a name, and never shares it between names at one address", async () => {
    const ports = { a: new Set<number>(), b: new Set<number>() };
    for (let round = 0; round < 3; round += 1) {
      ports.a.add((await get("a.test", both)).port);
      ports.b.add((await get("b.test", both)).port);
    }
    expect(ports.a.size).toBe(1);
    expect(ports.b.size).toBe(1);
    expect([...ports.a]).not.toEqual([...ports.b]);
    expect(await failureOf(get("c.test", both))).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });
});

describe("connectUrl", () => {
  const allowed = async (url: string): Promise<AllowedTarget> => {
    const deps = { lookup: async () => ["8.8.8.8", "2600:1900:4000::1"], signal: new AbortController().signal };
    const target = await resolveTarget(new URL(url), { allowPrivate: true, allowHttp: true }, deps);
    if (target.kind !== "allowed") throw new Error(target.reason);
    return target;
  };

  test.each([
    ["https://a.example/v2/", "https://8.8.8.8:443/v2/", "a.example"],
    ["https://a.example:5000/v2/x?y=%2F&z", "https://8.8.8.8:5000/v2/x?y=%2F&z", "a.example:5000"],
    ["http://a.example/", "http://8.8.8.8:80/", "a.example"],
    ["https://[2600:1900:4000::2]:8443/a", "https://[2600:1900:4000::2]:8443/a", "[2600:1900:4000::2]:8443"],
    ["http://127.1:5000/", "http://127.0.0.1:5000/", "127.0.0.1:5000"],
  ])("%s", async (url, connect, host) => {
    expect(connectUrl(await allowed(url), new URL(url))).toEqual({ url: connect, host });
  });

  test("takes another checked address, and no other", async () => {
    const target = await allowed("https://a.example/");
    const url = new URL("https://a.example/x");
    expect(connectUrl(target, url, "2600:1900:4000::1").url).toBe("https://[2600:1900:4000::1]:443/x");
    expect(() => connectUrl(target, url, "8.8.4.4")).toThrow(Failure);
  });

  test.each(["https://b.example/", "http://a.example/", "https://a.example:444/"])(
    "refuses %s for another origin's target",
    async (url) => {
      const target = await allowed("https://a.example/");
      expect(() => connectUrl(target, new URL(url))).toThrow("is not what was checked");
    },
  );
});
