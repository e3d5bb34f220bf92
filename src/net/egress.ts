import { asFailure, Failure } from "../errors/failure.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import type { Lookup } from "./lookup.ts";
import { scopeOf } from "./special-addresses.ts";

/** What one outbound target may be. Both are false for anything an upstream names: redirects, realms, Link headers. */
export interface EgressPolicy {
  /** Loopback, private and other special addresses: only for a target the operator configured there. */
  readonly allowPrivate: boolean;
  readonly allowHttp: boolean;
}

/** What `resolveTarget` needs from outside; the signal carries the caller's deadline. */
export interface EgressDeps {
  readonly lookup: Lookup;
  readonly signal: AbortSignal;
}

/** A target every one of whose addresses was checked. Connect to one of these and to nothing else: a second look-up may answer otherwise. */
export interface AllowedTarget {
  readonly kind: "allowed";
  /** Scheme, host and port the check was made for, as `URL.origin`. */
  readonly origin: string;
  readonly addresses: readonly [string, ...string[]];
  readonly port: number;
  /** The name the certificate must be for; undefined where the URL has an address in place of a name. */
  readonly serverName: string | undefined;
}

/** Where to connect, or why not. The reason names the host and the address; it is for logs. */
export type EgressTarget = AllowedTarget | { readonly kind: "refused"; readonly reason: string };

/**
 * The guard of every outbound connection. Resolves the URL's host once and checks each address it has; one bad address refuses the target.
 * An address in place of a name is answered at once. Throws UPSTREAM_FAILED when the name has no address, UPSTREAM_TIMEOUT when the signal's deadline passes, else the signal's reason.
 */
export function resolveTarget(url: URL, policy: EgressPolicy, deps: EgressDeps): EgressTarget | Promise<EgressTarget> {
  const refusal = urlRefusal(url, policy);
  if (refusal !== undefined) return { kind: "refused", reason: refusal };
  const host = bareHost(url);
  const literal = parseAddress(host);
  if (literal !== undefined) return checked(url, policy, { texts: [formatAddress(literal)], serverName: undefined });
  return lookUp(host, deps).then((texts) => checked(url, policy, { texts, serverName: host }));
}

/** What was found of a URL's host. */
interface Found {
  readonly texts: readonly string[];
  readonly serverName: string | undefined;
}

function checked(url: URL, policy: EgressPolicy, { texts, serverName }: Found): EgressTarget {
  const host = bareHost(url);
  const addresses: string[] = [];
  for (const text of texts) {
    const address = parseAddress(text);
    const reason = address === undefined ? "not an IP address" : addressRefusal(address, policy);
    if (reason !== undefined) return { kind: "refused", reason: `${host} is at ${text}: ${reason}` };
    if (address !== undefined) addresses.push(formatAddress(address));
  }
  const [first, ...others] = addresses;
  if (first === undefined)
    throw new Failure({ code: "UPSTREAM_FAILED", message: `${host} has no address; check the name and DNS` });
  return {
    kind: "allowed",
    origin: url.origin,
    addresses: [first, ...others],
    port: portOf(url),
    serverName,
  };
}

/** The URL with a checked address in place of the host, and the Host header to send with it. */
export interface ConnectUrl {
  readonly url: string;
  readonly host: string;
}

/**
 * Where to send a request for `url` so that no second look-up takes place: to one of the target's addresses, the first if none is given.
 * Fetch it with `host` as Host header, the target's `serverName` as TLS server name, `redirect: "manual"`, and `proxy: false` and
 * `rejectUnauthorized` spelled out, or HTTPS_PROXY and NODE_TLS_REJECT_UNAUTHORIZED in the environment decide them.
 */
export function connectUrl(target: AllowedTarget, url: URL, address: string = target.addresses[0]): ConnectUrl {
  if (url.origin !== target.origin || !target.addresses.includes(address)) {
    const message = `${url.origin} at ${address} is not what was checked, which is ${target.origin}; resolve it first`;
    throw new Failure({ code: "UPSTREAM_EGRESS_REFUSED", message });
  }
  const authority = address.includes(":") ? `[${address}]` : address;
  return { url: `${url.protocol}//${authority}:${target.port}${url.pathname}${url.search}`, host: url.host };
}

function urlRefusal(url: URL, policy: EgressPolicy): string | undefined {
  const isHttp = url.protocol === "http:" && policy.allowHttp;
  if (url.protocol !== "https:" && !isHttp) return `${url.protocol}//${url.host} is not https`;
  if (url.username !== "" || url.password !== "") return `the URL for ${url.host} has credentials in it`;
  return url.port === "0" ? `${url.host} has port 0` : undefined;
}

function addressRefusal(address: Address, policy: EgressPolicy): string | undefined {
  const scope = scopeOf(address);
  if (scope.kind === "public" || (scope.kind === "private" && policy.allowPrivate)) return undefined;
  return scope.kind === "forbidden"
    ? `${scope.name} addresses are never connected to`
    : `${scope.name} addresses are not allowed here`;
}

/** The host without an IPv6 address's brackets or a name's final dot. `URL` has already turned every numeric spelling into dotted IPv4. */
function bareHost(url: URL): string {
  if (url.hostname.startsWith("[")) return url.hostname.slice(1, -1);
  return url.hostname.endsWith(".") ? url.hostname.slice(0, -1) : url.hostname;
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "http:" ? 80 : 443;
}

async function lookUp(host: string, { lookup, signal }: EgressDeps): Promise<readonly string[]> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([lookup(host), aborted.promise]);
  } catch (error) {
    if (!signal.aborted) throw asFailure(error, "UPSTREAM_FAILED", `looking up ${host}`);
    if (!isTimeout(signal.reason)) throw signal.reason;
    throw new Failure({
      code: "UPSTREAM_TIMEOUT",
      message: `looking up ${host} took too long; check DNS`,
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}
