import { describe, expect, test } from "bun:test";
import { type EgressPolicy, type EgressTarget, resolveTarget, connectUrl } from "./egress.ts";

const strict: EgressPolicy = { allowPrivate: false, allowHttp: false };
const configured: EgressPolicy = { allowPrivate: true, allowHttp: true };

interface Answers {
  readonly policy?: EgressPolicy;
  /** What DNS says for any name. */
  readonly dns?: readonly string[];
}

/** The target of a URL by a resolver that knows one answer; literal addresses must not need it. */
async function targetOf(url: string, { policy = strict, dns }: Answers = {}): Promise<EgressTarget> {
  const lookup = async (host: string): Promise<readonly string[]> => {
    if (dns === undefined) throw new Error(`${host} was looked up`);
    return dns;
  };
  return resolveTarget(new URL(url), policy, { lookup, signal: new AbortController().signal });
}

/** What a promise is rejected with; undefined when it is not. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Hosts as an attacker would write them, and the scope each must be refused for. */
const spellings: readonly (readonly [host: string, scope: string])[] = [
  ["127.0.0.1", "loopback"],
  ["127.0.0.1.", "loopback"],
  ["127.1", "loopback"],
  ["127.0.1", "loopback"],
  ["0x7f.1", "loopback"],
  ["0x7f.0.0.1", "loopback"],
  ["0X7F.0x0.0x0.0x1", "loopback"],
  ["0x7f000001", "loopback"],
  ["0177.0.0.1", "loopback"],
  ["0177.1", "loopback"],
  ["017700000001", "loopback"],
  ["00000177.0.0.01", "loopback"],
  ["2130706433", "loopback"],
  ["2130706433.", "loopback"],
  ["127.0.0.0x1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["%31%32%37.0.0.1", "loopback"],
  ["127%2e0%2e0%2e1", "loopback"],
  ["127。0。0。1", "loopback"],
  ["１２７.0.0.1", "loopback"],
  ["①②⑦.⓪.⓪.①", "loopback"],
  ["[::1]", "loopback"],
  ["[0:0:0:0:0:0:0:1]", "loopback"],
  ["[0000::0001]", "loopback"],
  ["[::ffff:127.0.0.1]", "loopback"],
  ["[::ffff:7f00:1]", "loopback"],
  ["[::FFFF:7F00:0001]", "loopback"],
  ["[0:0:0:0:0:ffff:127.0.0.1]", "loopback"],
  ["[::127.0.0.1]", "v4-compatible"],
  ["[::7f00:1]", "v4-compatible"],
  ["[::ffff:0:127.0.0.1]", "v4-translated"],
  ["[64:ff9b::127.0.0.1]", "NAT64"],
  ["[64:ff9b::7f00:1]", "NAT64"],
  ["[64:ff9b::169.254.169.254]", "link-local"],
  ["[64:ff9b:1::7f00:1]", "local NAT64"],
  ["[2002:7f00:1::]", "6to4"],
  ["[2002:a9fe:a9fe::1]", "6to4"],
  ["[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "Teredo"],
  ["[::]", "unspecified"],
  ["[::ffff:0.0.0.0]", "this network"],
  ["0", "this network"],
  ["0.0.0.0", "this network"],
  ["0x0", "this network"],
  ["0.1.2.3", "this network"],
  ["169.254.169.254", "link-local"],
  ["2852039166", "link-local"],
  ["0xa9fea9fe", "link-local"],
  ["0251.0376.0251.0376", "link-local"],
  ["169.16689662", "link-local"],
  ["[::ffff:a9fe:a9fe]", "link-local"],
  ["[fe80::1]", "link-local"],
  ["[fd00:ec2::254]", "cloud metadata"],
  ["168.63.129.16", "cloud metadata"],
  ["100.100.100.200", "cloud metadata"],
  ["10.0.0.1", "private use"],
  ["10.1", "private use"],
  ["012.0.0.1", "private use"],
  ["167772161", "private use"],
  ["[::ffff:10.0.0.1]", "private use"],
  ["172.16.0.1", "private use"],
  ["172.31.255.255", "private use"],
  ["192.168.1", "private use"],
  ["3232235777", "private use"],
  ["100.64.0.1", "carrier-grade NAT"],
  ["[fc00::1]", "unique local"],
  ["[fdff::1]", "unique local"],
  ["[fec0::1]", "site-local"],
  ["[ff02::1]", "multicast"],
  ["224.0.0.1", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["4294967295", "broadcast"],
  ["0xffffffff", "broadcast"],
  ["240.0.0.1", "reserved"],
  ["192.0.2.1", "documentation"],
  ["198.51.100.1", "documentation"],
  ["203.0.113.1", "documentation"],
  ["[2001:db8::1]", "documentation"],
  ["198.18.0.1", "benchmarking"],
  ["192.0.0.8", "protocol assignments"],
  ["192.88.99.1", "6to4 relay"],
  ["[100::1]", "discard"],
  ["[5f00::1]", "not global unicast"],
];

const noUrl = [
  "[::1%25lo]",
  "[fe80::1%eth0]",
  "256.0.0.1",
  "4294967296",
  "0x100000000",
  "1.2.3.4.5",
  "foo.0x7f",
  "127.0.0.1%00",
  "[127.0.0.1]",
  "[::1",
  "09.0.0.1",
];

const publicHosts: readonly (readonly [host: string, address: string])[] = [
  ["8.8.8.8", "8.8.8.8"],
  ["134744072", "8.8.8.8"],
  ["[::ffff:8.8.8.8]", "8.8.8.8"],
  ["[2600:1900:4000::1]", "2600:1900:4000::1"],
  ["[2A00:1450:0:0::1]", "2a00:1450::1"],
];

describe("resolveTarget", () => {
  test.each(spellings)("refuses %s: %s", async (host, scope) => {
    const target = await targetOf(`https://${host}/v2/`);
    expect(target).toMatchObject({ kind: "refused", reason: expect.stringContaining(`: ${scope} addresses `) });
  });

  test.each(spellings)("refuses the same host with a port, a path and http allowed: %s", async (host) => {
    const target = await targetOf(`http://${host}:8080/x?y`, { policy: { allowPrivate: false, allowHttp: true } });
    expect(target.kind).toBe("refused");
  });

  test.each(noUrl)("%s is in no URL", (host) => {
    expect(URL.canParse(`https://${host}/`)).toBe(false);
  });

  test.each(publicHosts)("allows %s", async (host, address) => {
    expect(await targetOf(`https://${host}/`)).toEqual({
      kind: "allowed",
      origin: new URL(`https://${host}/`).origin,
      addresses: [address],
      port: 443,
      serverName: undefined,
    });
  });

  const forbidden = spellings.filter(
    ([, scope]) =>
      !/loopback|private use|carrier|unique|site-local|reserved|documentation|benchmark|protocol|global|NAT64/.test(
        scope,
      ),
  );
  test.each(forbidden)("refuses %s (%s) even where private is allowed", async (host) => {
    expect((await targetOf(`https://${host}/`, { policy: configured })).kind).toBe("refused");
  });

  test.each([
    "127.0.0.1",
    "[::1]",
    "10.0.0.1",
    "172.16.5.5",
    "192.168.0.1",
    "100.64.0.1",
    "[fd00::1]",
    "[64:ff9b::808:808]",
    "198.18.0.1",
  ])("allows %s where private is allowed", async (host) => {
    expect((await targetOf(`http://${host}:5000/`, { policy: configured })).kind).toBe("allowed");
  });
});

describe("resolveTarget by name", () => {
  test("allows a name whose every address is public, with its name for TLS", async () => {
    const target = await targetOf("https://Registry.Example.:8443/v2/", { dns: ["8.8.8.8", "2600:1900:4000::1"] });
    expect(target).toEqual({
      kind: "allowed",
      origin: "https://registry.example.:8443",
      addresses: ["8.8.8.8", "2600:1900:4000::1"],
      port: 8443,
      serverName: "registry.example",
    });
  });

  test.each([
    [["127.0.0.1"], "loopback"],
    [["8.8.8.8", "127.0.0.1"], "loopback"],
    [["8.8.8.8", "8.8.4.4", "::ffff:10.0.0.1"], "private use"],
    [["2600:1900:4000::1", "fe80::1"], "link-local"],
    [["8.8.8.8", "169.254.169.254"], "link-local"],
    [["8.8.8.8", "fe80::1%eth0"], "not an IP address"],
    [["0x7f.1"], "not an IP address"],
  ])("refuses a name at %j: %s", async (dns, scope) => {
    expect(await targetOf("https://registry.example/", { dns })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining(scope),
    });
  });

  test("looks a name up once; what DNS says later does not matter", async () => {
    const answers = [["8.8.8.8"], ["127.0.0.1"]];
    const lookup = async (): Promise<readonly string[]> => answers.shift() ?? [];
    const url = new URL("https://rebind.example/v2/?a=b#c");
    const target = await resolveTarget(url, strict, { lookup, signal: new AbortController().signal });
    if (target.kind !== "allowed") throw new Error(target.reason);
    expect(answers).toEqual([["127.0.0.1"]]);
    expect(connectUrl(target, url)).toEqual({ url: "https://8.8.8.8:443/v2/?a=b", host: "rebind.example" });
  });

  test("throws UPSTREAM_FAILED for a name without an address", async () => {
    const none = targetOf("https://registry.example/", { dns: [] });
    expect(await failureOf(none)).toMatchObject({
      code: "UPSTREAM_FAILED",
      message: expect.stringContaining("registry.example has no address"),
    });
    expect(await failureOf(targetOf("https://registry.example/"))).toMatchObject({ code: "UPSTREAM_FAILED" });
  });

  test.each([
    ["a deadline", new DOMException("too late", "TimeoutError"), { code: "UPSTREAM_TIMEOUT" }],
    ["a caller who left", new DOMException("gone", "AbortError"), { name: "AbortError", message: "gone" }],
  ])("%s ends the wait for DNS", async (_, reason, expected) => {
    const abort = new AbortController();
    const deps = { lookup: () => Promise.withResolvers<never>().promise, signal: abort.signal };
    const pending = Promise.resolve(resolveTarget(new URL("https://registry.example/"), strict, deps));
    abort.abort(reason);
    expect(await failureOf(pending)).toMatchObject(expected);
    expect(
      await failureOf(Promise.resolve(resolveTarget(new URL("https://registry.example/"), strict, deps))),
    ).toMatchObject(expected);
  });
});

test.each([
  ["http://8.8.8.8/", "http://8.8.8.8 is not https"],
  ["ftp://8.8.8.8/", "ftp://8.8.8.8 is not https"],
  ["file:///etc/passwd", "file:// is not https"],
  ["data:text/plain,x", "data:// is not https"],
  ["https://user@8.8.8.8/", "credentials"],
  ["https://:secret@8.8.8.8/", "credentials"],
  ["https://8.8.8.8:0/", "port 0"],
])("refuses %s", async (url, says) => {
  const target = await targetOf(url);
  expect(target).toMatchObject({ kind: "refused", reason: expect.stringContaining(says) });
  expect(JSON.stringify(target)).not.toContain("secret");
});
