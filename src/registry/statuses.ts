import type { Clock } from "./clock.ts";
import { readOciError, withError } from "./oci-error.ts";
import { rateAdvice } from "./rate-headers.ts";
import { type Answered, speaksForRegistry } from "./redirects.ts";
import type { Absent, Unavailable } from "./remote.ts";
import type { Reply } from "./reply.ts";
import { unavailable } from "./unavailable.ts";

/** True of a 5xx that says that the server fails; 501 is a feature it has not. */
export function isServerError(status: number | undefined): boolean {
  return status !== undefined && status >= 500 && status !== 501;
}

/**
 * What an answer other than the hoped-for one means: 404 and 410 of a registry are absence, everything else is no knowledge. A
 * host that only keeps bytes and lacks these does not speak for the registry that sent us there.
 */
export function meaningOf({ response, target }: Answered, clock: Clock): Absent | Unavailable {
  const { status, headers } = response;
  const { host } = target.url;
  switch (status) {
    case 404:
    case 410:
      if (speaksForRegistry(target)) return { kind: "absent" };
      return unavailable("failed", `it redirects to ${host}, which answered ${status}`, { status });
    case 401:
      return unavailable("denied", `${host} answered 401; check the credentials for it`, { status });
    case 403:
      return unavailable("denied", `${host} answered 403; what is asked for is not allowed there`, { status });
    case 429: {
      const retryAfterMs = rateAdvice(status, headers, clock.epochMs()).pauseMs;
      return unavailable("rate-limited", `${host} answered 429`, { status, retryAfterMs });
    }
    default:
      return unavailable("failed", `${host} answered ${status}`, { status });
  }
}

/** What a refusal of a change means, with the registry's own words for it; 404 is one of many. Reads the body. */
export async function refusalOf({ answered, signal }: Reply, clock: Clock): Promise<Unavailable> {
  const { status } = answered.response;
  const meaning = meaningOf(answered, clock);
  const said = await readOciError(answered.response, signal);
  if (meaning.kind === "unavailable") return withError(meaning, said);
  return withError(unavailable("failed", `${answered.target.url.host} answered ${status}`, { status }), said);
}

/** Bytes are kept as they are, so a body in any encoding but its own is refused. RFC 9110, 8.4. */
export function refusedEncoding({ response, target }: Answered): Unavailable | undefined {
  const encoding = response.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "") return undefined;
  const shown = encoding.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, "?");
  return unavailable(
    "refused",
    `${target.url.host} answered with content encoding "${shown}" although none was asked for`,
  );
}
