import { discard } from "./body.ts";
import type { Operations } from "./operations.ts";
import type { Answer, CallLimits } from "./remote.ts";
import type { RegistryRequest } from "./request.ts";
import { meaningOf } from "./statuses.ts";
import { explained } from "./unavailable.ts";

/** GET of `/v2/`: found when it is a registry that lets us in. OCI distribution spec v1.1, end-1. */
export async function ping(operations: Operations, limits: CallLimits): Promise<Answer<object>> {
  const { upstream, clock } = operations;
  const request: RegistryRequest = {
    asked: `GET of ${upstream.url}/v2/`,
    method: "GET",
    path: "/v2/",
    query: "",
    scope: "",
    headers: { Accept: "application/json" },
    load: "whole",
  };
  const reply = await operations.call(request, limits);
  if (reply.kind === "unavailable") return reply;
  const { response } = reply.answered;
  await discard(response, reply.signal);
  reply.close();
  return response.status === 200 ? { kind: "found" } : explained(request.asked, meaningOf(reply.answered, clock));
}
