import { expect, test } from "bun:test";
import fc from "fast-check";
import { isLoopback, parseBase, parseLink, parseListen, parseOrigin, parseProxy, parseUrlHost } from "./place.ts";

test.each([
  ["127.0.0.1:5000", { hostname: "127.0.0.1", port: 5000 }],
  ["[::]:8080", { hostname: "::", port: 8080 }],
  ["registry.example:443", { hostname: "registry.example", port: 443 }],
  ["localhost:0", { hostname: "localhost", port: 0 }],
  ["localhost", undefined],
  [":5000", undefined],
  ["5000", undefined],
  ["a b:1", undefined],
  ["::1:5000", undefined],
  ["[::1]", undefined],
  ["[fe80::1%eth0]:1", undefined],
  ["127.0.0.1:65536", undefined],
  ["http://a:1", undefined],
])("%p listens at %j", (text, listen) => {
  expect(parseListen(text)).toEqual(listen);
});

test.each([
  ["localhost", true],
  ["LOCALHOST", true],
  ["a.localhost", true],
  ["127.8.9.1", true],
  ["[::1]", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["localhost.example", false],
  ["127.0.0.1.example", false],
])("%p is loopback: %p", (hostname, yes) => {
  expect(isLoopback(hostname)).toBe(yes);
});

const refused = expect.objectContaining({ kind: "refused" });
const url = (text: string): unknown => expect.objectContaining({ kind: "url", text });

test.each([
  [parseOrigin, "https://Registry.Example/", url("https://registry.example")],
  [parseOrigin, "https://a:443", url("https://a")],
  [parseOrigin, "http://[::1]:5000", url("http://[::1]:5000")],
  [parseOrigin, "https://a/v2", refused],
  [parseOrigin, "https://a?x", refused],
  [parseOrigin, "https://a/#", refused],
  [parseOrigin, "https://u@a", refused],
  [parseOrigin, "https://", refused],
  [parseOrigin, "a.example", refused],
  [parseOrigin, "file:///etc/passwd", refused],
  [parseOrigin, "https:\\\\a", refused],
  [parseOrigin, "https://a\n.b", refused],
  [parseOrigin, "https://a b", refused],
  [parseOrigin, `https://${"a".repeat(3000)}`, refused],
  [parseBase, "https://a/b/c/", url("https://a/b/c")],
  [parseBase, "https://A", url("https://a")],
  [parseBase, "https://a/b?sig=1", refused],
  [parseBase, "https://u:p@a/b", refused],
  [parseBase, "https://a/b//", refused],
  [parseProxy, "http://u:p@a:3128", url("http://u:p@a:3128")],
  [parseProxy, "http://a/b", refused],
  [parseProxy, "socks5://a", refused],
  [parseLink, "https://a/b?c#d", url("https://a/b?c#d")],
  [parseLink, "https://u:p@a/b", refused],
  [parseLink, "javascript:alert(1)", refused],
  [parseLink, "https://a/\r\nSet-Cookie: x", refused],
])("%p of %j", (parse, text, expected) => {
  expect(parse(text)).toEqual(expected);
});

test.each([
  ["Minio.Internal.", "minio.internal"],
  ["minio:9000", "minio:9000"],
  ["registry-1.docker.io:443", "registry-1.docker.io"],
  ["[::1]:80", "[::1]:80"],
  ["a/b", undefined],
  ["https://a", undefined],
  ["*.a", undefined],
])("%p is the URL host %p", (text, host) => {
  expect(parseUrlHost(text)).toBe(host);
});

test("what is refused never repeats the text, which may hold a password", () => {
  const text = fc.string({ minLength: 12 }).map((secret) => `https://u:${encodeURIComponent(secret)}@a b`);
  fc.assert(
    fc.property(text, (secret) => {
      const place = parseOrigin(secret);
      expect(place.kind === "refused" && place.reason.includes(secret)).toBe(false);
      expect(place.kind).toBe("refused");
    }),
  );
});

test("no text makes a parser throw, and what is accepted is accepted again", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webUrl()), (text) => {
      for (const parse of [parseOrigin, parseBase, parseProxy, parseLink]) {
        const place = parse(text);
        if (place.kind === "url") expect(parse(place.text)).toEqual(place);
      }
    }),
  );
});
