/** A host as written, without brackets, and the port behind it if one was given. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * Splits HOST, HOST:PORT, [IPV6] and [IPV6]:PORT (RFC 3986, 3.2.2 and 3.2.3); a bare IPv6 address is a host. Undefined when the host
 * is empty or the port is not 0 to 65535. The host itself is not looked at.
 */
export function parseHostPort(text: string): HostPort | undefined {
  const split = splitHost(text);
  if (split === undefined || split.host === "") return undefined;
  if (split.port === undefined) return { host: split.host, port: undefined };
  const port = parsePort(split.port);
  return port === undefined ? undefined : { host: split.host, port };
}

/** Host and text behind its colon, nothing of either checked. Undefined where a bracket is left open or followed by other text. */
export function splitHost(text: string): { readonly host: string; readonly port: string | undefined } | undefined {
  if (text.startsWith("[")) return splitBracketed(text);
  const colon = text.indexOf(":");
  if (colon < 0 || text.includes(":", colon + 1)) return { host: text, port: undefined };
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

function splitBracketed(text: string): { readonly host: string; readonly port: string | undefined } | undefined {
  const close = text.indexOf("]");
  const host = text.slice(1, close);
  if (close < 0 || !host.includes(":")) return undefined;
  if (close + 1 === text.length) return { host, port: undefined };
  return text[close + 1] === ":" ? { host, port: text.slice(close + 2) } : undefined;
}

function parsePort(text: string): number | undefined {
  if (text.length > 5 || !/^[0-9]+$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}
