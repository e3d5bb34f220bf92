/** A request's target as far as this program reads it. */
export interface Target {
  /** The path as the runtime gives it, never decoded. */
  readonly path: string;
  /** Without its `?`; empty when there is none. */
  readonly query: string;
  /** `?ns=`, decoded: the registry that a mirror is asked on behalf of. OCI distribution spec v1.1, "Registry Proxying". */
  readonly ns: string | undefined;
}

/** Splits an absolute URL as `Request.url` gives it. One pass, nothing is parsed that is not there. */
export function targetOf(url: string): Target {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  const mark = url.indexOf("?", path);
  if (mark < 0) return { path: url.slice(path), query: "", ns: undefined };
  const query = url.slice(mark + 1);
  return { path: url.slice(path, mark), query, ns: new URLSearchParams(query).get("ns") ?? undefined };
}

/** The part of a query that may go on to an upstream: the named keys, in the order given, encoded anew. */
export function keptQuery(query: string, keys: readonly string[]): string {
  if (query === "") return "";
  const given = new URLSearchParams(query);
  const kept = new URLSearchParams();
  for (const key of keys) for (const value of given.getAll(key)) kept.append(key, value);
  return kept.toString();
}
