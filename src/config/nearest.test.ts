import { expect, test } from "bun:test";
import fc from "fast-check";
import { knownKeys } from "./keys.ts";
import { nearestName } from "./nearest.ts";
import { configJsonSchema } from "./schema.ts";

test.each([
  ["tsl", "tls"],
  ["LISTEN", "listen"],
  ["listn", "listen"],
  ["upstream", "upstreams"],
  ["wellknown", "wellKnown"],
  ["trusted_proxies", "trustedProxies"],
  ["port", undefined],
  ["x", undefined],
  ["l".repeat(41), undefined],
])("%p is a slip for %p", (name, nearest) => {
  expect(nearestName(name, ["listen", "tls", "upstreams", "wellKnown", "trustedProxies"])).toBe(nearest);
});

test("one letter left out, doubled or swapped is found", () => {
  const names = ["trustedProxies", "serveStaleFor", "redirectHosts", "adminSocket"];
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(), fc.nat(2), (name, seed, kind) => {
      const at = seed % (name.length - 1);
      const slips = [
        name.slice(0, at) + name.slice(at + 1),
        name.slice(0, at + 1) + name.slice(at),
        name.slice(0, at) + name[at + 1] + name[at] + name.slice(at + 2),
      ];
      expect(nearestName(slips[kind] ?? "", names)).toBe(name);
    }),
  );
});

test.each([
  [["rules", 3], "id,match,upstream,serve,freshFor,serveStaleFor,maxSize,access,immutableTags"],
  [["rules", 3, "match"], "host,ns,prefix"],
  [["upstreams", "any.example", "credentials"], "username,passwordFile"],
  [["redirect", "buckets", 0], "name,url,cloud,region,default,fill"],
  [["tls", 0], "cert,key,clientCA"],
  [["listen"], ""],
  [["nowhere", "at", "all"], ""],
])("the keys known at %j are %s", (path, keys) => {
  expect(knownKeys(configJsonSchema(), path).join()).toBe(keys);
});
