import { parseCidr } from "../net/cidr.ts";
import { addressSet } from "../net/address-set.ts";
import { parseAddress } from "../net/address.ts";
import { isLoopback, parseProxy } from "./place.ts";

/** The variables of the process, passed in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment gives for a URL: `https_proxy` or `http_proxy` by its scheme, also in upper case, but not for loopback
 * and what `no_proxy` lists: hosts with their subdomains, addresses, CIDRs, HOST:PORT, or `*`. `undefined` where there is none or it is no URL.
 */
export function proxyFromEnvironment(env: Environment, url: URL): string | undefined {
  const name = url.protocol === "http:" ? "http_proxy" : "https_proxy";
  const proxy = variable(env, name);
  if (proxy === undefined || isLoopback(url.hostname)) return undefined;
  const exceptions = (variable(env, "no_proxy") ?? "").split(",").map((entry) => entry.trim().toLowerCase());
  if (exceptions.some((entry) => entry !== "" && isExcepted(url, entry))) return undefined;
  const place = parseProxy(proxy.includes("://") ? proxy : `http://${proxy}`);
  return place.kind === "url" ? place.text : undefined;
}

function variable(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toUpperCase()] || undefined;
}

function isExcepted(url: URL, entry: string): boolean {
  if (entry === "*" || entry === url.host) return true;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const block = parseCidr(entry);
  if (block !== undefined) return addressSet([block]).contains(parseAddress(hostname));
  const domain = entry.replace(/^\*?\./, "");
  return hostname === domain || hostname.endsWith(`.${domain}`);
}
