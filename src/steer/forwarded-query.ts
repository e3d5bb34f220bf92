import type { PullEndpoint } from "../rules/decide.ts";

/** The keys of a query that mean something to the registry that is redirected to. OCI distribution spec v1.1, "Listing Tags", "Listing Referrers". */
const forwardedKeys: Readonly<Partial<Record<PullEndpoint["kind"], readonly string[]>>> = {
  tags: ["n", "last"],
  referrers: ["artifactType"],
};

const pairMaxLength = 512;
/** What may stand in a query (RFC 3986, 3.4) but `&`; anything else would have to be encoded anew. */
const pairCharacters = /^[A-Za-z0-9\-._~!$'()*+,;:@/?%=]*$/;

/**
 * The part of a request's query that goes on in a redirect, with its "?", or "". `query` is raw, without "?". Each key goes on
 * once, as it was written; `ns` and everything that is not listed stays here.
 */
export function forwardedQuery(kind: PullEndpoint["kind"], query: string): string {
  const keys = query === "" ? undefined : forwardedKeys[kind];
  if (keys === undefined) return "";
  const kept = new Map<string, string>();
  for (const pair of query.split("&", 32)) {
    const equals = pair.indexOf("=");
    const key = equals < 0 ? pair : pair.slice(0, equals);
    const isKept = keys.includes(key) && !kept.has(key) && pair.length <= pairMaxLength && pairCharacters.test(pair);
    if (isKept) kept.set(key, pair);
  }
  return kept.size === 0 ? "" : `?${[...kept.values()].join("&")}`;
}
