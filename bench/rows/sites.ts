/** Where the redirect rows send manifests: a name that is only ever printed in a `Location`. */
export const UPSTREAM_URL = "https://upstream.example";

/** A client and the proxy that vouches for it; both of documentation ranges, so of no known cloud. */
export const FORWARDED_FOR = { "X-Forwarded-For": "203.0.113.9, 127.0.0.1" };

/** How many different paths a load cycles through, so that no answer can be remembered by its path alone. */
export const PATH_COUNT = 1000;
/** Connections of a load of small requests. */
export const CONNECTIONS = 64;
