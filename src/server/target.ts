/** A request's target as far as this program reads it. */
export interface Target {
  /** The path as the runtime gives it, never decoded. */
  readonly path: string;
  /** Without its `?`; empty when there is none. */
  readonly query: string;
  /** `?ns=`, decoded: the registry that a mirror is asked on behalf of. OCI distribution spec v1.1, "Registry Proxying". */
  readonly ns: string | undefined;
}

/**
 * Splits a URL as `Request.url` gives it: absolute, or the bare target of a request whose `Host` is missing or no host. One
 * pass, nothing is parsed that is not there.
 */
export function targetOf(url: string): Target {
  const path = pathStart(url);
  const mark = url.indexOf("?", path);
  if (mark < 0) return { path: url.slice(path), query: "", ns: undefined };
  const query = url.slice(mark + 1);
  return { path: url.slice(path, mark), query, ns: new URLSearchParams(query).get("ns") ?? undefined };
}

/** Scheme and authority that a request came to; `undefined` when it did not say. */
export function originOf(url: string): string | undefined {
  const path = pathStart(url);
  return path === 0 ? undefined : url.slice(0, path);
}

function pathStart(url: string): number {
  return url.startsWith("http") ? Math.max(0, url.indexOf("/", url.indexOf("//") + 2)) : 0;
}
