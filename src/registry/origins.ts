import type { Upstream } from "../config/settings.ts";
import { parseAddress } from "../net/address.ts";
import type { Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

/** How a target may be reached: over what, at which addresses, and whose certificates are believed there. */
export interface Reach {
  readonly allowHttp: boolean;
  readonly allowPrivate: boolean;
  /** PEM text of the authority to believe instead of the system's. */
  readonly ca: string | undefined;
  /** False: its certificate is not checked. */
  readonly verify: boolean;
}

/** Where a request may go. `isOwn` marks the upstream's own origin, the only one its credentials are for. */
export interface Target {
  readonly kind: "target";
  readonly url: URL;
  readonly reach: Reach;
  readonly isOwn: boolean;
}

/**
 * Which hosts one upstream may lead to, and how they are reached. What the operator named is trusted to be private; what the
 * upstream names is public and https. Decided here and nowhere else.
 */
export class Origins {
  readonly #base: URL;
  readonly #origin: string;
  readonly #upstream: Upstream;
  readonly #ownReach: Reach;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#base = new URL(upstream.url);
    this.#origin = this.#base.origin;
    const { insecure, mayBePrivate, ca } = upstream;
    const allowHttp = insecure || isLoopback(this.#base.hostname);
    this.#ownReach = { allowHttp, allowPrivate: mayBePrivate, ca, verify: !insecure };
  }

  /** The upstream itself, at an absolute path. */
  own(path: string, query: string): Target {
    const rooted = path.startsWith("/") ? path : `/${path}`;
    const url = new URL(`${this.#origin}${rooted}${query === "" ? "" : `?${query}`}`);
    return { kind: "target", url, reach: this.#ownReach, isOwn: true };
  }

  /** Where a redirect may lead: its own origin, a host of `redirectHosts`, or anywhere public over https. */
  redirect(from: URL, location: string | null): Target | Unavailable {
    const url = parseTarget(location, from);
    if (url === undefined) return refused(`${from.host} answered a redirect that names no place`);
    if (this.#isOwn(url)) return { kind: "target", url, reach: this.#ownReach, isOwn: true };
    const isNamed = this.#upstream.redirectHosts.some((entry) => matchesHost(entry, url));
    const reach = isNamed ? this.#namedReach() : publicReach;
    if (url.protocol === "http:" && !reach.allowHttp) {
      const but = this.#ownReach.allowHttp ? "; a host of your own has to be among its redirectHosts" : "";
      return refused(`${from.host} redirects to ${url.host} over plain HTTP; only https is followed${but}`);
    }
    return { kind: "target", url, reach, isOwn: false };
  }

  /**
   * Where an upload may go on: its own origin or a host of `redirectHosts`, nowhere else. A registry behind a proxy that ends TLS may
   * call itself by http; it is spoken to as it was before.
   */
  upload(from: URL, location: string | null): Target | Unavailable {
    const url = parseTarget(location, from);
    if (url === undefined) return refused(`${from.host} names no place to upload to`);
    if (url.hostname === this.#base.hostname && url.protocol === "http:") url.protocol = this.#base.protocol;
    const isNamed = this.#upstream.redirectHosts.some((entry) => matchesHost(entry, url));
    if (!this.#isOwn(url) && !isNamed) {
      return refused(`${from.host} wants the upload at ${url.host}; add that to its redirectHosts to allow it`);
    }
    return this.redirect(from, url.href);
  }

  /**
   * Where a token may be asked for: at the upstream's own host or one of `tokenHosts`, over https. Plain HTTP only where the
   * upstream itself is, on its own host or on loopback.
   */
  realm(realm: string): Target | Unavailable {
    const url = parseTarget(realm, undefined);
    if (url === undefined) return refused("its challenge has a realm that is no URL");
    const isOwnHost = url.host === this.#base.host;
    const isNamed = this.#upstream.tokenHosts.some((entry) => entry.toLowerCase() === url.host);
    if (!isOwnHost && !isNamed) {
      return refused(
        `it wants tokens from ${url.host}, which is not its own host; add it to its tokenHosts to allow that`,
      );
    }
    if (url.protocol === "https:") return realmTarget(url, isOwnHost ? this.#ownReach : this.#tokenReach());
    const isPlain = this.#base.protocol === "http:" && this.#ownReach.allowHttp;
    if (isPlain && (isOwnHost || isLoopback(url.hostname))) return realmTarget(url, this.#ownReach);
    return refused(`it wants tokens from ${url.host} over plain HTTP; credentials go over https only`);
  }

  /** Where a host that an upstream redirects to may be asked for an anonymous token: at that same host, reached the same way. */
  foreignRealm(realm: string, asked: Target): Target | Unavailable {
    const url = parseTarget(realm, undefined);
    if (url === undefined || url.host !== asked.url.host || url.protocol !== asked.url.protocol) {
      return unavailable("denied", `${asked.url.host} wants credentials, and credentials stay with their origin`);
    }
    return realmTarget(url, asked.reach);
  }

  #isOwn(url: URL): boolean {
    return url.origin === this.#origin;
  }

  #namedReach(): Reach {
    return { ...this.#ownReach, allowPrivate: true };
  }

  /** A password goes to a host beside the upstream's own only when that host has proved its name. */
  #tokenReach(): Reach {
    const { mayBePrivate, ca } = this.#upstream;
    return { allowHttp: false, allowPrivate: mayBePrivate, ca, verify: true };
  }
}

const publicReach: Reach = { allowHttp: false, allowPrivate: false, ca: undefined, verify: true };
const urlMaxLength = 8192;

function realmTarget(url: URL, reach: Reach): Target {
  return { kind: "target", url, reach, isOwn: false };
}

/** An http or https URL without a user in it; fragments are dropped. */
function parseTarget(text: string | null, base: URL | undefined): URL | undefined {
  if (text === null || text === "" || text.length > urlMaxLength || !URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  if (url.username !== "" || url.password !== "") return undefined;
  url.hash = "";
  return url;
}

/** `HOST` is that host at any port, `HOST:PORT` at that one. */
function matchesHost(entry: string, url: URL): boolean {
  const name = entry.toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return name === url.hostname || name === `${url.hostname}:${port}`;
}

function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname === "[::1]") return true;
  const address = parseAddress(hostname);
  return address?.kind === "v4" && address.bits >>> 24 === 127;
}

function refused(message: string): Unavailable {
  return unavailable("refused", message);
}
