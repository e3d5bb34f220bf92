import { algorithmOf, parseDigest } from "../reference/digest.ts";
import { discard } from "./body.ts";
import type { ManifestQuestion } from "./manifests.ts";
import type { Operations } from "./operations.ts";
import type { Answer } from "./remote.ts";
import type { Reply } from "./reply.ts";
import { deleteScope, placeOf, pushScope } from "./repository-path.ts";
import type { RegistryRequest } from "./request.ts";
import { meaningOf, refusalOf } from "./statuses.ts";
import { askedFor, unavailable } from "./unavailable.ts";
import type { ManifestToPush, PushedManifest } from "./writable.ts";

/** PUT of a manifest as it is. OCI distribution spec v1.1, end-7. A 404 is no absence: something that it needs is missing there. */
export async function putManifest(
  operations: Operations,
  question: ManifestQuestion,
  manifest: ManifestToPush,
): Promise<Answer<PushedManifest>> {
  const { path, scope } = addressOf(operations, question, "push");
  const { bytes, mediaType } = manifest;
  const request: RegistryRequest = {
    asked: askedOf(operations, question, "PUT"),
    method: "PUT",
    path,
    query: "",
    scope,
    headers: { "Content-Type": mediaType },
    body: bytes,
    load: "whole",
  };
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return reply;
  try {
    const answer = await takenManifest(operations, reply, manifest);
    return answer.kind === "unavailable" ? askedFor(request.asked, answer) : answer;
  } finally {
    reply.close();
  }
}

/** DELETE of a manifest or a tag. OCI distribution spec v1.1, end-9. */
export async function deleteManifest(operations: Operations, question: ManifestQuestion): Promise<Answer<object>> {
  const request: RegistryRequest = {
    asked: askedOf(operations, question, "DELETE"),
    method: "DELETE",
    ...addressOf(operations, question, "delete"),
    query: "",
    headers: {},
    load: "whole",
  };
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return reply;
  try {
    const { response } = reply.answered;
    if (response.ok) await discard(response, reply.signal);
    if (response.ok) return { kind: "found" };
    const meaning = meaningOf(reply.answered, operations.clock);
    const refusal = await refusalOf(reply, operations.clock);
    return meaning.kind === "absent" ? meaning : askedFor(request.asked, refusal);
  } finally {
    reply.close();
  }
}

async function takenManifest(
  { clock }: Operations,
  reply: Reply,
  { digest }: ManifestToPush,
): Promise<Answer<PushedManifest>> {
  const { response, target } = reply.answered;
  if (!response.ok) return await refusalOf(reply, clock);
  await discard(response, reply.signal);
  const said = parseDigest(response.headers.get("docker-content-digest")?.trim() ?? "");
  if (said !== undefined && algorithmOf(said) === algorithmOf(digest) && said !== digest) {
    return unavailable("refused", `${target.url.host} took it for ${said}, which it is not`);
  }
  return { kind: "found", subject: parseDigest(response.headers.get("oci-subject")?.trim() ?? "") };
}

function addressOf(
  { upstream }: Operations,
  { repository, reference }: ManifestQuestion,
  action: "delete" | "push",
): Pick<RegistryRequest, "path" | "scope"> {
  const place = placeOf(upstream, repository);
  const scope = action === "push" ? pushScope(place) : deleteScope(place);
  return { path: `${place.path}/manifests/${reference}`, scope };
}

function askedOf(
  { upstream }: Operations,
  { repository, reference }: ManifestQuestion,
  method: "DELETE" | "PUT",
): string {
  const separator = parseDigest(reference) === undefined ? ":" : "@";
  return `${method} of the manifest ${upstream.host}/${repository}${separator}${reference}`;
}
