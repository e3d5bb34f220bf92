import type { PageOutcome } from "../mirror/pages.ts";
import type { Notes } from "./record.ts";
import { contentType, errorReply, originHeaders, unavailableReply, warningHeaders } from "./replies.ts";

/** Where the next page of a list is asked for here: our own path, and the `ns` that the client named. */
export interface PageAddress {
  readonly path: string;
  readonly ns: string | undefined;
}

/** The answer to a list of tags or referrers: the upstream's bytes, its `Link` turned to our own path. */
export function pageReply(outcome: PageOutcome, address: PageAddress, upstream: string, notes: Notes): Response {
  if (outcome.kind === "absent") {
    return errorReply(404, "NAME_UNKNOWN", `${upstream} says that it has no such repository`, originHeaders(upstream));
  }
  if (outcome.kind === "unavailable") {
    notes.error = outcome.message;
    return unavailableReply(outcome, upstream);
  }
  const { page, origin, ageMs, warning } = outcome;
  notes.origin = origin;
  const headers = {
    ...originHeaders(upstream),
    ...warningHeaders(ageMs, warning),
    "Content-Type": contentType(page.mediaType),
    ...(page.nextQuery === undefined ? {} : { Link: `<${nextAddress(address, page.nextQuery)}>; rel="next"` }),
    ...(page.filtersApplied === undefined ? {} : { "OCI-Filters-Applied": page.filtersApplied }),
  };
  return new Response(page.bytes, { headers });
}

function nextAddress({ path, ns }: PageAddress, nextQuery: string): string {
  return ns === undefined ? `${path}?${nextQuery}` : `${path}?${nextQuery}&ns=${encodeURIComponent(ns)}`;
}
