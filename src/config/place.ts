import { parseAddress } from "../net/address.ts";
import { parseHostPort } from "../net/host-port.ts";
import { parseHost } from "../reference/host.ts";

/** A port to listen at. Port 0 lets the system choose. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** A URL that was looked at, or what is wrong with it, in words that never repeat the URL. */
export type PlaceText =
  | { readonly kind: "url"; readonly text: string; readonly hostname: string; readonly isPlainHttp: boolean }
  | { readonly kind: "refused"; readonly reason: string };

const MAX_URL_LENGTH = 2048;

/** Parses `HOST:PORT`, `A.B.C.D:PORT` or `[V6]:PORT`; the port is required. */
export function parseListen(text: string): ListenAddress | undefined {
  const split = parseHostPort(text);
  if (split?.port === undefined) return undefined;
  if (parseAddress(split.host) === undefined && parseHost(split.host) === undefined) return undefined;
  return { hostname: split.host, port: split.port };
}

/** True for `localhost` and the loopback addresses (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3; RFC 6761, 6.3), with or without brackets. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname.toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost")) return true;
  const address = parseAddress(bare);
  if (address === undefined) return false;
  if (address.kind === "v4") return address.bits >>> 24 === 127;
  return address.words.every((word, index) => word === (index === 3 ? 1 : 0));
}

/** A URL of scheme and authority only, without a slash at the end: where a registry is reached. */
export function parseOrigin(text: string): PlaceText {
  const url = parsePlain(text);
  if (!(url instanceof URL)) return url;
  if (url.pathname !== "/")
    return refused("must be scheme and host only; what comes before the repositories goes into path");
  return { kind: "url", text: url.origin, hostname: url.hostname, isPlainHttp: url.protocol === "http:" };
}

/** A URL with a path, without a slash at the end: what digests are put behind. */
export function parseBase(text: string): PlaceText {
  const url = parsePlain(text);
  if (!(url instanceof URL)) return url;
  if (url.pathname.includes("//")) return refused("must have no empty segment, //, in its path");
  const base = url.href.endsWith("/") ? url.href.slice(0, -1) : url.href;
  return { kind: "url", text: base, hostname: url.hostname, isPlainHttp: url.protocol === "http:" };
}

/** A URL of a proxy: scheme and authority, where a user and a password may stand (RFC 3986, 3.2.1). */
export function parseProxy(text: string): PlaceText {
  const url = parseHttp(text);
  if (!(url instanceof URL)) return url;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return refused("must be scheme and host only");
  return { kind: "url", text: url.href.slice(0, -1), hostname: url.hostname, isPlainHttp: url.protocol === "http:" };
}

/** A URL to send people to, kept as written. */
export function parseLink(text: string): PlaceText {
  const url = parseHttp(text);
  if (!(url instanceof URL)) return url;
  if (hasUser(url)) return refused("must have no user or password in it");
  return { kind: "url", text, hostname: url.hostname, isPlainHttp: url.protocol === "http:" };
}

/** A host with an optional port as the `host` of a URL reads: lower case, no trailing dot, no `:443`. Second names are not folded. */
export function parseUrlHost(text: string): string | undefined {
  if (parseHost(text) === undefined) return undefined;
  const url = parseHttp(`https://${text}`);
  return url instanceof URL ? url.host.replace(/\.(?=:|$)/, "") : undefined;
}

function parsePlain(text: string): URL | PlaceText {
  const url = parseHttp(text);
  if (!(url instanceof URL)) return url;
  if (hasUser(url)) return refused("must have no user or password in it; they go into credentials");
  if (/[?#]/.test(text)) return refused("must have no query and no fragment");
  return url;
}

/** The URL standard drops tabs and line ends and folds backslashes: what is not plain printable ASCII is refused before it can. */
function parseHttp(text: string): URL | PlaceText {
  if (text.length > MAX_URL_LENGTH) return refused(`is longer than ${MAX_URL_LENGTH} characters`);
  const url = /^https?:\/\/[!-[\]-~]+$/.test(text) ? URL.parse(text) : null;
  return url ?? refused("must be a URL such as https://registry.example");
}

function hasUser(url: URL): boolean {
  return url.username !== "" || url.password !== "";
}

function refused(reason: string): PlaceText {
  return { kind: "refused", reason };
}
