import { Failure } from "../errors/failure.ts";
import { type AllowedTarget, connectUrl, type EgressPolicy, type EgressTarget } from "../net/egress.ts";
import { AddressOrder } from "./address-order.ts";
import { endedBy } from "./deadline.ts";
import { isNotConnected, isOfAnother, networkFault } from "./network-error.ts";
import type { Target } from "./origins.ts";
import type { Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

/** The runtime's `fetch`, or a session's. */
export type Fetch = (url: string, init: BunFetchRequestInit) => Promise<Response>;

/** Resolves and checks where a request may connect to. Throws what `resolveTarget` throws. */
export type Egress = (url: URL, policy: EgressPolicy, signal: AbortSignal) => EgressTarget | Promise<EgressTarget>;

/** A body; one that is made is made anew for each connection that is tried. A stream is sent by the `Content-Length` of its headers. */
export type OutgoingBody = string | Uint8Array<ArrayBuffer> | (() => Blob | ReadableStream<Uint8Array<ArrayBuffer>>);

/** One request. The signal ends it and, later, the reading of its body. */
export interface Outgoing {
  readonly method: "DELETE" | "GET" | "HEAD" | "PATCH" | "POST" | "PUT";
  readonly target: Target;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: OutgoingBody;
  readonly signal: AbortSignal;
}

/** An answer whose body is unread: who gets it reads it or cancels it. */
export interface Incoming {
  readonly kind: "response";
  readonly response: Response;
}

/** Sends one request and waits for the headers of its answer, whatever they say. */
export type Exchange = (outgoing: Outgoing) => Promise<Incoming | Unavailable>;

/** What a transport is made from. */
export interface TransportOptions {
  readonly fetch: Fetch;
  readonly egress: Egress;
  /** URL of the HTTP proxy; absent, connections are direct whatever the environment says. */
  readonly proxy: string | undefined;
  readonly userAgent: string;
}

/** Addresses of one name that are tried when one does not accept connections. */
const addressesTried = 4;

/**
 * HTTP as registries are spoken to: nothing followed, nothing decompressed, no cookies, connected only to addresses that were
 * checked. Through a proxy the name is given to the proxy, which looks it up; only addresses in place of names are checked here.
 */
export function createTransport(options: TransportOptions): Exchange {
  const order = new AddressOrder();
  /** The upstream itself, where its URL has an address in place of a name: what that is need not be found out anew. */
  let literal: AllowedTarget | undefined;
  const ordered = { ...options, order };
  return async (outgoing) => {
    const { target, signal } = outgoing;
    if (signal.aborted) return endedBy(signal);
    if (target.url.protocol === "http:" && !target.reach.allowHttp) {
      return unavailable("refused", `${target.url.host} would be asked over plain HTTP, which is not allowed for it`);
    }
    if (options.proxy !== undefined && isName(target.url)) return await byProxy(options, outgoing, options.proxy);
    try {
      const finding = (target.isOwn ? literal : undefined) ?? options.egress(target.url, target.reach, signal);
      const place = finding instanceof Promise ? await finding : finding;
      if (place.kind === "refused") {
        const but = target.isOwn ? "" : "; a private one has to be among its redirectHosts";
        const message = `${target.url.host} is at no address that may be connected to for this upstream${but}`;
        return unavailable("refused", message);
      }
      if (target.isOwn && place.serverName === undefined) literal = place;
      return await byAddress(ordered, outgoing, place);
    } catch (error) {
      return signal.aborted ? endedBy(signal) : lookUpFault(target.url, error);
    }
  };
}

async function byAddress(
  options: TransportOptions & { readonly order: AddressOrder },
  outgoing: Outgoing,
  place: AllowedTarget,
): Promise<Incoming | Unavailable> {
  const { target, signal } = outgoing;
  let fault: unknown;
  for (const address of options.order.sort(place.origin, place.addresses).slice(0, addressesTried)) {
    const { url, host } = connectUrl(place, target.url, address);
    try {
      const init = initOf(options, outgoing, { serverName: place.serverName, host, proxy: options.proxy });
      return { kind: "response", response: await options.fetch(url, init) };
    } catch (error) {
      const ended = signal.aborted ? endedBy(signal) : bodyFault(outgoing, url, error);
      if (ended?.reason !== "cancelled" && ended?.reason !== "failed") options.order.failed(place.origin, address);
      if (ended !== undefined) return ended;
      fault = error;
      if (!isNotConnected(error)) break;
    }
  }
  return networkFault(target.url.host, fault);
}

async function byProxy(options: TransportOptions, outgoing: Outgoing, proxy: string): Promise<Incoming | Unavailable> {
  const { target, signal } = outgoing;
  try {
    const init = initOf(options, outgoing, { serverName: undefined, host: undefined, proxy });
    return { kind: "response", response: await options.fetch(target.url.href, init) };
  } catch (error) {
    if (signal.aborted) return endedBy(signal);
    return bodyFault(outgoing, target.url.href, error) ?? networkFault(target.url.host, error);
  }
}

/** The answer where it was the body that failed, which comes from elsewhere: nothing is known of who it was sent to. */
function bodyFault({ body, target }: Outgoing, url: string, error: unknown): Unavailable | undefined {
  if (typeof body !== "function" || !isOfAnother(error, url)) return undefined;
  return unavailable("failed", `what ${target.url.host} was being sent broke off`);
}

/** How one connection is made: the name its certificate must be for, the `Host` to send and the proxy, where they are not the URL's own. */
interface Connecting {
  readonly serverName: string | undefined;
  readonly host: string | undefined;
  readonly proxy: string | undefined;
}

function initOf(
  { userAgent }: TransportOptions,
  { method, headers, body, signal, target }: Outgoing,
  { serverName, host, proxy }: Connecting,
): BunFetchRequestInit {
  const own = { "User-Agent": userAgent, "Accept-Encoding": "identity" };
  return {
    method,
    headers: host === undefined ? { ...own, ...headers } : { ...own, ...headers, Host: host },
    body: (typeof body === "function" ? body() : body) ?? null,
    signal,
    proxy: proxyOf(proxy),
    tls: tlsOf(target, serverName),
    redirect: "manual",
    decompress: false,
    // The reader of a body has its own watch over it; the runtime's would also count time in which nobody reads.
    timeout: false,
  };
}

function proxyOf(proxy: string | undefined): Bun.FetchProxyOption {
  return proxy === undefined ? false : { url: proxy, respectNoProxy: false };
}

function tlsOf({ reach }: Target, serverName: string | undefined): BunFetchRequestInitTLS {
  const tls: BunFetchRequestInitTLS = { rejectUnauthorized: reach.verify };
  if (reach.ca !== undefined) tls.ca = reach.ca;
  if (serverName !== undefined) tls.serverName = serverName;
  return tls;
}

function isName(url: URL): boolean {
  return !url.hostname.startsWith("[") && !/^[0-9.]+$/.test(url.hostname);
}

function lookUpFault(url: URL, error: unknown): Unavailable {
  if (error instanceof Failure)
    return unavailable(error.code === "UPSTREAM_TIMEOUT" ? "timeout" : "unreachable", error.message);
  return networkFault(url.host, error);
}
