import { describe, expect, test } from "bun:test";
import { connect } from "node:tls";
import { Failure } from "../errors/failure.ts";
import { type CertificateRequest, type IssuedCertificate, issueCertificate } from "./test-certificate.ts";
import { type ListenerTls, type TlsEntry, tlsOptions } from "./tls.ts";

const now = Date.UTC(2030, 0, 10);
const dayMs = 24 * 60 * 60 * 1000;
const commonName = "test CA";
const ca = issueCertificate({ commonName });
const issuer = { ...ca, commonName };

function issue(request: Partial<CertificateRequest>): IssuedCertificate {
  return issueCertificate({
    commonName: "leaf",
    issuer,
    fromMs: now - 90 * dayMs,
    untilMs: now + 90 * dayMs,
    ...request,
  });
}

function entry(name: string, issued: IssuedCertificate, clientCA?: string): TlsEntry {
  return {
    cert: { path: `${name}.crt`, text: issued.cert },
    key: { path: `${name}.key`, text: issued.key },
    ...(clientCA === undefined ? {} : { clientCA: { path: `${name}-ca.crt`, text: clientCA } }),
  };
}

function listener(entries: readonly TlsEntry[], nowMs = now): ListenerTls {
  const made = tlsOptions(entries, nowMs);
  if (made instanceof Failure) throw made;
  return made;
}

const a = issue({ dnsNames: ["a.test"] });
const many = issue({
  dnsNames: ["W.test", "*.w.test", "w.test", "bad name", "x, DNS:evil.test"],
  addresses: ["127.0.0.1"],
});
const nameless = issue({ addresses: ["127.0.0.1"] });

describe("tlsOptions", () => {
  test("gives each certificate under each of its DNS names", () => {
    const { options, warnings } = listener([entry("a", a), entry("many", many)]);
    expect(options.map(({ serverName, cert }) => [serverName, cert === a.cert ? "a" : "many"])).toEqual([
      ["a.test", "a"],
      ["w.test", "many"],
      ["*.w.test", "many"],
    ]);
    expect(options[0]).toEqual({ serverName: "a.test", cert: a.cert, key: a.key });
    expect(warnings).toEqual([]);
  });

  test("lets the first certificate be without a name", () => {
    const { options } = listener([entry("ip", nameless), entry("a", a)]);
    expect(options.map(({ serverName }) => serverName)).toEqual([undefined, "a.test"]);
  });

  test("asks for client certificates where there is a client CA", () => {
    const { options } = listener([entry("a", a, ca.cert)]);
    expect(options).toEqual([
      { serverName: "a.test", cert: a.cert, key: a.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
    ]);
  });

  test("takes a chain with the leaf first", () => {
    const chain = { ...a, cert: a.cert + ca.cert };
    expect(listener([entry("a", chain)]).options[0]?.cert).toBe(chain.cert);
  });

  test("makes nothing of nothing", () => {
    expect(tlsOptions([], now)).toEqual({ options: [], warnings: [] });
  });
});

const refused: readonly (readonly [name: string, entries: readonly TlsEntry[], says: string])[] = [
  ["a certificate that is none", [entry("a", { ...a, cert: "hello" })], "a.crt: is no PEM certificate"],
  ["an empty certificate", [entry("a", { ...a, cert: "" })], "a.crt: is no PEM certificate"],
  ["a key in place of a certificate", [entry("a", { ...a, cert: a.key })], "a.crt: is no PEM certificate"],
  ["a key that is none", [entry("a", { ...a, key: "hello" })], "a.key: is no unencrypted PEM private key"],
  ["a certificate in place of a key", [entry("a", { ...a, key: a.cert })], "a.key: is no unencrypted PEM private key"],
  ["another certificate's key", [entry("a", { ...a, key: many.key })], "a.key: is not the key of a.crt"],
  ["a chain with the leaf last", [entry("a", { ...a, cert: ca.cert + a.cert })], "a.key: is not the key of a.crt"],
  ["a client CA that is none", [entry("a", a, "hello")], "a-ca.crt: is no PEM certificate"],
  ["a second certificate without a name", [entry("a", a), entry("ip", nameless)], "ip.crt: has no DNS name"],
  [
    "a name twice",
    [entry("a", a), entry("b", issue({ dnsNames: ["b.test", "A.test"] }))],
    "b.crt: a.test is already served by a.crt",
  ],
  [
    "a client CA on the first only",
    [entry("a", a, ca.cert), entry("many", many)],
    "many.crt: clientCA must be the same",
  ],
  [
    "a client CA on the second only",
    [entry("a", a), entry("many", many, ca.cert)],
    "many.crt: clientCA must be the same",
  ],
];

test.each(refused)("tlsOptions refuses %s", (_, entries, says) => {
  expect(tlsOptions(entries, now)).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(says) });
});

test.each([
  ["valid for long", -90, 90, []],
  ["has just over 14 days left", -90, 14.01, []],
  ["has just under 14 days left", -90, 13.99, ["a.crt expires at 2030-01-23T"]],
  ["lives six days and has three left", -3, 3, []],
  ["lives six days and has one left", -5, 1, ["a.crt expires at 2030-01-11T"]],
  ["has expired", -90, -1, ["a.crt expired at 2030-01-09T"]],
  ["is not valid yet", 1, 90, ["a.crt is not valid before 2030-01-11T"]],
])("tlsOptions warns of a certificate that %s", (_, fromDays, untilDays, expected) => {
  const issued = issue({ dnsNames: ["a.test"], fromMs: now + fromDays * dayMs, untilMs: now + untilDays * dayMs });
  const { warnings } = listener([entry("a", issued)]);
  expect(warnings.map((warning) => warning.slice(0, expected[0]?.length))).toEqual([...expected]);
});

describe("a listener with these options", () => {
  /** Common name of the certificate a client is shown that asks for a name, or how the handshake fails. */
  function shown(port: number, servername: string | undefined, own: Partial<IssuedCertificate> = {}): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const name = servername === undefined ? {} : { servername };
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...name, ...own });
    socket.once("secureConnect", () => socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    socket.once("data", () => resolve(String(socket.getPeerCertificate().subject.CN)));
    socket.once("error", () => resolve("refused"));
    socket.once("close", () => resolve("refused"));
    return promise.finally(() => socket.destroy());
  }

  function serve(tls: ListenerTls): Bun.Server<undefined> {
    return Bun.serve({ hostname: "127.0.0.1", port: 0, tls: [...tls.options], fetch: () => new Response("ok") });
  }

  test("shows each client the certificate of the name it asks for, and the first to the others", async () => {
    const first = issue({ commonName: "first", addresses: ["127.0.0.1"] });
    const second = issue({ commonName: "second", dnsNames: ["w.test", "*.w.test"] });
    using server = serve(listener([entry("first", first), entry("second", second)]));
    const port = server.port ?? 0;
    const names = ["w.test", "x.w.test", "y.x.w.test", "other.test", undefined];
    expect(await Promise.all(names.map((name) => shown(port, name)))).toEqual([
      "second",
      "second",
      "first",
      "first",
      "first",
    ]);
  });

  test("lets in only clients with a certificate of the client CA, whatever name they ask for", async () => {
    const fresh = (name: string): IssuedCertificate =>
      issueCertificate({ commonName: name, issuer, dnsNames: [`${name}.test`] });
    const client = fresh("client");
    const stranger = issueCertificate({ commonName: "stranger" });
    using server = serve(listener([entry("a", fresh("a"), ca.cert), entry("b", fresh("b"), ca.cert)]));
    const port = server.port ?? 0;
    for (const name of ["a.test", "b.test", "other.test", undefined]) {
      expect(await shown(port, name)).toBe("refused");
      expect(await shown(port, name, stranger)).toBe("refused");
      expect(await shown(port, name, client)).toBe(name === "b.test" ? "b" : "a");
    }
  });
});
