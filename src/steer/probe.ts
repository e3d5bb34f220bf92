import { acceptManifests } from "../manifest/media-types.ts";
import { createTransport, type Egress, type Exchange, type Fetch } from "../registry/transport.ts";
import type { Presence } from "./events.ts";
import type { Holder } from "./holder.ts";

/** Asks a holder for one URL by HEAD: the status of its answer, or `undefined` when none came. To throw is to give none. */
export type Probe = (holder: Holder, url: string, signal: AbortSignal) => Promise<number | undefined>;

/** What HEADs are sent with. */
export interface ProbeOptions {
  readonly fetch: Fetch;
  readonly egress: Egress;
  readonly userAgent: string;
}

/** Probes over the network, only to addresses that were checked, without credentials, following nothing. */
export function createProbe(options: ProbeOptions): Probe {
  const transports = new Map<string | undefined, Exchange>();
  const through = (proxy: string | undefined): Exchange => {
    const transport = transports.get(proxy) ?? createTransport({ ...options, proxy });
    transports.set(proxy, transport);
    return transport;
  };
  return async ({ kind, reach, proxy }, url, signal) => {
    const target = { kind: "target", url: new URL(url), reach, isOwn: false } as const;
    const headers: Record<string, string> = kind === "registry" ? { Accept: acceptManifests } : {};
    const answer = await through(proxy)({ method: "HEAD", target, headers, signal });
    if (answer.kind !== "response") return undefined;
    await answer.response.body?.cancel();
    return answer.response.status;
  };
}

/** What a holder's answer says of the content, and of the holder: `isFault` counts for its breaker. */
export interface Meaning {
  readonly presence: Presence;
  readonly isFault: boolean;
}

/**
 * Reads the status of a HEAD. A bucket has what it answers 200 for; 403 is how one that may not be listed says 404; a redirect
 * is no word of having it, and a client sent there might be led anywhere. A registry redirects to where it keeps a blob, so
 * only its 404 and 410 are absence, and its 401 and 403 say nothing.
 */
export function meaningOf(kind: Holder["kind"], status: number | undefined): Meaning {
  const isFault = status === undefined || status === 408 || status === 429 || status >= 500;
  if (isFault) return { presence: "unknown", isFault };
  return { presence: kind === "bucket" ? inBucket(status) : inRegistry(status), isFault };
}

function inBucket(status: number): Presence {
  if (status === 200) return "held";
  return status === 403 || status === 404 || status === 410 ? "absent" : "unknown";
}

function inRegistry(status: number): Presence {
  if (status >= 200 && status < 400) return "held";
  return status === 404 || status === 410 ? "absent" : "unknown";
}
