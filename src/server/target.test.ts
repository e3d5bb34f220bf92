import { expect, test } from "bun:test";
import fc from "fast-check";
import { originOf, targetOf } from "./target.ts";

test.each<[string, string, string, string | undefined]>([
  ["http://cache.test/v2/", "/v2/", "", undefined],
  ["http://cache.test:5000/v2/a/manifests/b", "/v2/a/manifests/b", "", undefined],
  ["https://[::1]:5000/v2/a//b", "/v2/a//b", "", undefined],
  ["http://cache.test/v2/a/tags/list?n=2&ns=quay.io", "/v2/a/tags/list", "n=2&ns=quay.io", "quay.io"],
  ["http://cache.test/v2/?ns=localhost%3A5000", "/v2/", "ns=localhost%3A5000", "localhost:5000"],
  ["http://cache.test/v2/?ns=", "/v2/", "ns=", ""],
  ["http://cache.test/v2/?", "/v2/", "", undefined],
  ["http://cache.test/v2/?a=/v3//&b=?", "/v2/", "a=/v3//&b=?", undefined],
  // What the runtime gives when `Host` is missing or no host: the target as it came.
  ["/healthz", "/healthz", "", undefined],
  ["/x/v2/a/manifests/b", "/x/v2/a/manifests/b", "", undefined],
  ["/v2/a//v2/b/manifests/1?ns=quay.io", "/v2/a//v2/b/manifests/1", "ns=quay.io", "quay.io"],
  ["a:1", "a:1", "", undefined],
])("%s is split", (url, path, query, ns) => {
  expect(targetOf(url)).toEqual({ path, query, ns });
});

test.each([
  ["http://cache.test/v2/", "http://cache.test"],
  ["https://[::1]:5000/v2/a?b=//c/", "https://[::1]:5000"],
  ["/v2/a//b", undefined],
])("the origin of %s is %p", (url, origin) => {
  expect(originOf(url)).toBe(origin);
});

test("no path is lost or made, whatever it holds", () => {
  const path = fc.string({ unit: fc.constantFrom("/", "v2", "a", "%", "..", ":", "http", "#", "@", "\\") });
  const origin = fc.constantFrom("", "http://h", "https://h:1", "http://[::1]");
  fc.assert(
    fc.property(origin, path, fc.option(fc.stringMatching(/^[a-z/?&=]{0,9}$/)), (origin, tail, query) => {
      const path = `/${tail}`;
      const url = `${origin}${path}${query === null ? "" : `?${query}`}`;
      expect(targetOf(url)).toMatchObject({ path, query: query ?? "" });
      expect(originOf(url)).toBe(origin === "" ? undefined : origin);
    }),
  );
});
