import { expect, test } from "bun:test";
import type { Upstream } from "../config/settings.ts";
import { Origins } from "./origins.ts";
import { upstreamAt } from "./testing/upstream.ts";

const hub: Partial<Upstream> & { readonly url: string } = {
  url: "https://registry.test",
  tokenHosts: ["auth.test", "auth.test:8443"],
  redirectHosts: ["minio.internal", "store.internal:9000"],
  mayBePrivate: false,
};
const plain = { ...hub, url: "http://registry.test:5000", insecure: true };
const loopback = { ...hub, url: "http://127.0.0.1:5000", tokenHosts: ["127.0.0.1:5001", "auth.test"] };

function originsOf(upstream: Partial<Upstream> & { readonly url: string }): Origins {
  return new Origins(upstreamAt(upstream.url, upstream));
}

test.each<[string, typeof hub, string | null, string]>([
  ["own origin", hub, "/v2/x", "own https://registry.test/v2/x"],
  ["own origin, absolute", hub, "https://REGISTRY.test:443/x#f", "own https://registry.test/x"],
  ["public https", hub, "https://cdn.test/x?sig=1", "public https://cdn.test/x?sig=1"],
  ["without a scheme", hub, "//cdn.test/x", "public https://cdn.test/x"],
  ["another port is another origin", hub, "https://registry.test:8443/x", "public https://registry.test:8443/x"],
  ["the same name with a dot is another origin", hub, "https://registry.test./x", "public https://registry.test./x"],
  ["a named host", hub, "https://minio.internal:9000/x", "private https://minio.internal:9000/x"],
  ["a named host and port", hub, "https://store.internal:9000/x", "private https://store.internal:9000/x"],
  ["a named host, another port", hub, "https://store.internal/x", "public https://store.internal/x"],
  ["below a named host", hub, "https://evil.minio.internal/x", "public https://evil.minio.internal/x"],
  ["plain HTTP", hub, "http://cdn.test/x", "refused"],
  ["plain HTTP at home", hub, "http://registry.test/x", "refused"],
  ["plain HTTP to a named host from https", hub, "http://minio.internal/x", "refused"],
  ["plain HTTP to a named host from a plain one", plain, "http://minio.internal/x", "private http://minio.internal/x"],
  ["plain HTTP to a named host from loopback", loopback, "http://minio.internal/x", "private http://minio.internal/x"],
  ["plain HTTP to others from a plain one", plain, "http://cdn.test/x", "refused"],
  ["plain own origin", plain, "/x", "own http://registry.test:5000/x"],
  ["another scheme", hub, "file:///etc/passwd", "refused"],
  ["another scheme", hub, "javascript:alert(1)", "refused"],
  ["a user in it", hub, "https://user:pw@cdn.test/x", "refused"],
  ["no URL", hub, "https://", "refused"],
  ["nothing", hub, null, "refused"],
  ["empty", hub, "", "refused"],
  ["endless", hub, `https://cdn.test/${"x".repeat(9000)}`, "refused"],
])("a redirect to %s", (_, upstream, location, expected) => {
  const origins = originsOf(upstream);
  const target = origins.redirect(origins.own("/v2/a/blobs/x", "").url, location);
  if (target.kind === "unavailable") return expect(target.reason).toBe(expected as "refused");
  const kind = target.isOwn ? "own" : target.reach.allowPrivate ? "private" : "public";
  expect(`${kind} ${target.url.href}`).toBe(expected);
});

test.each<[string, typeof hub, string | null, string]>([
  ["own origin", hub, "/v2/x?_state=a%2Fb", "own https://registry.test/v2/x?_state=a%2Fb"],
  ["a path beside it", hub, "2?n=1", "own https://registry.test/v2/a/blobs/uploads/2?n=1"],
  ["own origin, called http by who sits behind TLS", hub, "http://registry.test/x", "own https://registry.test/x"],
  ["plain own origin", loopback, "http://127.0.0.1:5000/x", "own http://127.0.0.1:5000/x"],
  ["a named host", hub, "https://minio.internal/x", "private https://minio.internal/x"],
  ["a public host", hub, "https://cdn.test/x", "refused"],
  ["another port", hub, "https://registry.test:8443/x", "refused"],
  ["a named host over plain HTTP", hub, "http://minio.internal/x", "refused"],
  ["a user in it", hub, "https://user@registry.test/x", "refused"],
  ["another scheme", hub, "ftp://registry.test/x", "refused"],
  ["nothing", hub, null, "refused"],
])("an upload at %s", (_, upstream, location, expected) => {
  const origins = originsOf(upstream);
  const target = origins.upload(origins.own("/v2/a/blobs/uploads/1", "").url, location);
  if (target.kind === "unavailable") return expect(target.reason).toBe(expected as "refused");
  const kind = target.isOwn ? "own" : target.reach.allowPrivate ? "private" : "public";
  expect(`${kind} ${target.url.href}`).toBe(expected);
});

test.each<[string, typeof hub, string, "allowed" | "refused"]>([
  ["its own host", hub, "https://registry.test/token", "allowed"],
  ["its own host, another port", hub, "https://registry.test:444/token", "refused"],
  ["a token host", hub, "https://auth.test/token?a=b", "allowed"],
  ["a token host and port", hub, "https://auth.test:8443/token", "allowed"],
  ["a token host, another port", hub, "https://auth.test:1/token", "refused"],
  ["below a token host", hub, "https://evil.auth.test/token", "refused"],
  ["a host that only begins like it", hub, "https://auth.test.evil.example/token", "refused"],
  ["the same domain", hub, "https://token.registry.test/", "refused"],
  ["a stranger", hub, "https://evil.example/token", "refused"],
  ["a user that looks like its host", hub, "https://registry.test@evil.example/token", "refused"],
  ["its own host over plain HTTP", hub, "http://registry.test/token", "refused"],
  ["a token host over plain HTTP", hub, "http://auth.test/token", "refused"],
  ["its own plain host", plain, "http://registry.test:5000/token", "allowed"],
  ["a token host over plain HTTP", plain, "http://auth.test/token", "refused"],
  ["its own loopback", loopback, "http://127.0.0.1:5000/token", "allowed"],
  ["a token host on loopback", loopback, "http://127.0.0.1:5001/token", "allowed"],
  ["another port on loopback", loopback, "http://127.0.0.1:5002/token", "refused"],
  ["a token host that is not on loopback", loopback, "http://auth.test/token", "refused"],
  ["no URL", hub, "registry.example", "refused"],
  ["a path", hub, "/token", "refused"],
])("a realm at %s", (_, upstream, realm, expected) => {
  const target = originsOf(upstream).realm(realm);
  expect(target.kind === "unavailable" ? target.reason : "allowed").toBe(expected);
});

test("credentials go past the upstream's own host only where the certificate is checked", () => {
  const origins = originsOf({ ...hub, insecure: true, ca: "PEM" });
  const own = origins.realm("https://registry.test/token");
  const other = origins.realm("https://auth.test/token");
  expect(own).toMatchObject({ reach: { verify: false, ca: "PEM" } });
  expect(other).toMatchObject({ reach: { verify: true, ca: "PEM", allowHttp: false } });
});

test.each([
  ["https://cdn.test/v2/token", "target"],
  ["https://cdn.test:444/v2/token", "unavailable"],
  ["http://cdn.test/v2/token", "unavailable"],
  ["https://registry.test/token", "unavailable"],
  ["https://auth.test/token", "unavailable"],
  ["nonsense", "unavailable"],
] as const)("a host that was redirected to may want an anonymous token from %s: %s", (realm, expected) => {
  const origins = originsOf(hub);
  const asked = origins.redirect(origins.own("/", "").url, "https://cdn.test/v2/x/manifests/1");
  if (asked.kind === "unavailable") throw new Error(asked.message);
  expect(origins.foreignRealm(realm, asked).kind).toBe(expected);
});

test("its own targets keep path and query, and private addresses only where the operator said so", () => {
  expect(originsOf(hub).own("/v2/a/b/tags/list", "n=1")).toMatchObject({ isOwn: true, reach: { allowPrivate: false } });
  const target = originsOf({ ...hub, mayBePrivate: true }).own("/v2/a/b/tags/list", "n=1");
  expect([target.url.href, target.reach.allowPrivate]).toEqual(["https://registry.test/v2/a/b/tags/list?n=1", true]);
});
