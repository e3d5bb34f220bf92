import type { Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import { discard } from "./body.ts";
import type { Operations } from "./operations.ts";
import type { Target } from "./origins.ts";
import type { CallLimits, Unavailable } from "./remote.ts";
import type { Reply } from "./reply.ts";
import { deleteScope, placeOf, pushScope } from "./repository-path.ts";
import type { RegistryRequest } from "./request.ts";
import { refusalOf } from "./statuses.ts";
import { askedFor } from "./unavailable.ts";

/** Which blob is pushed, where, and within which limits. */
export interface UploadQuestion {
  readonly repository: Repository;
  readonly digest: Digest;
  readonly limits: CallLimits;
}

/** An upload that a registry has begun. */
export interface UploadSession {
  readonly kind: "session";
  /** Where its next request goes. Its query is the registry's secret: it is in no message. */
  readonly place: Target;
  /** The token scope that it was begun with. */
  readonly scope: string;
  /** No part but the last may be smaller. `OCI-Chunk-Min-Length`. */
  readonly partMinBytes: number;
}

/** What a registry answers to who wants to push. */
export type Opened = UploadSession | { readonly kind: "mounted" } | Unavailable;

const mountsMax = 4;
const cancelTimeoutMs = 3000;

/**
 * Begins an upload, or mounts the blob from the first repository that it can be mounted from. A registry that does not mount begins an
 * upload instead, which is the one that is gone on with. OCI distribution spec v1.1, end-4a and end-11.
 */
export async function openUpload(
  operations: Operations,
  question: UploadQuestion,
  mountFrom: readonly Repository[],
): Promise<Opened> {
  let session: UploadSession | undefined;
  for (const from of mountFrom.slice(0, mountsMax)) {
    if (session !== undefined) await cancelUpload(operations, question, session);
    const opened = await post(operations, question, from);
    if (opened.kind === "mounted" || (opened.kind === "unavailable" && isOfAll(opened))) return opened;
    session = opened.kind === "session" ? opened : undefined;
  }
  return session ?? (await post(operations, question, undefined));
}

/** Ends an upload that is not to be completed, as well as may be: nothing is learnt of it, and it takes three seconds at most. */
export async function cancelUpload(
  operations: Operations,
  question: UploadQuestion,
  session: UploadSession,
): Promise<void> {
  const limits: CallLimits = { signal: new AbortController().signal, timeoutMs: cancelTimeoutMs };
  const scope = deleteScope(placeOf(operations.upstream, question.repository));
  const reply = await operations.call({ ...requestOf(operations, question, session, "DELETE"), scope }, limits);
  if (reply.kind === "unavailable") return;
  await letGo(reply);
  if (reply.answered.response.status !== 416) return;
  const status = await operations.call(requestOf(operations, question, session, "GET"), limits);
  if (status.kind === "unavailable") return;
  await letGo(status);
  const moved = sessionOf(operations, status, session);
  if (moved.kind === "unavailable") return;
  const last = await operations.call({ ...requestOf(operations, question, moved, "DELETE"), scope }, limits);
  if (last.kind !== "unavailable") await letGo(last);
}

/** A request of a session. Such a request is never repeated by itself: what it did is asked first. */
export function requestOf(
  { upstream }: Operations,
  { repository, digest }: UploadQuestion,
  session: UploadSession,
  method: RegistryRequest["method"],
): RegistryRequest {
  return {
    asked: `push of the blob ${upstream.host}/${repository}@${digest}`,
    method,
    path: "",
    query: "",
    to: session.place,
    scope: session.scope,
    headers: {},
    isOnce: method === "PATCH" || method === "PUT",
    load: "whole",
  };
}

/** The session as an answer leaves it: registries name another place for each next request. */
export function sessionOf(
  { origins }: Operations,
  { answered }: Reply,
  before: Omit<UploadSession, "place"> & { readonly place?: Target },
): UploadSession | Unavailable {
  const { headers } = answered.response;
  const location = headers.get("location");
  const { place } = before;
  const next = location === null && place !== undefined ? place : origins.upload(answered.target.url, location);
  if (next.kind === "unavailable") return next;
  const partMinBytes = Number(/^[0-9]{1,12}$/.exec(headers.get("oci-chunk-min-length") ?? "")?.[0] ?? 0);
  return { ...before, place: next, partMinBytes: Math.max(before.partMinBytes, partMinBytes) };
}

/** Reads what nobody wants of an answer and gives its place back. */
export async function letGo(reply: Reply): Promise<void> {
  await discard(reply.answered.response, reply.signal);
  reply.close();
}

async function post(operations: Operations, question: UploadQuestion, from: Repository | undefined): Promise<Opened> {
  const { upstream } = operations;
  const { repository, digest, limits } = question;
  const place = placeOf(upstream, repository);
  const source = from === undefined ? undefined : placeOf(upstream, from);
  const request: RegistryRequest = {
    asked: `push of the blob ${upstream.host}/${repository}@${digest}`,
    method: "POST",
    path: `${place.path}/blobs/uploads/`,
    query: source === undefined ? "" : new URLSearchParams({ mount: digest, from: source.name }).toString(),
    scope: pushScope(place, source),
    headers: { "Content-Length": "0" },
    load: "whole",
  };
  const reply = await operations.call(request, limits);
  if (reply.kind === "unavailable") return reply;
  const opened = await openedBy(operations, reply, { scope: request.scope, isMount: from !== undefined });
  await letGo(reply);
  return opened.kind === "unavailable" ? askedFor(request.asked, opened) : opened;
}
async function openedBy(
  operations: Operations,
  reply: Reply,
  { scope, isMount }: { readonly scope: string; readonly isMount: boolean },
): Promise<Opened> {
  const { status } = reply.answered.response;
  if (status === 202) return sessionOf(operations, reply, { kind: "session", scope, partMinBytes: 0 });
  if (status === 201 && isMount) return { kind: "mounted" };
  return await refusalOf(reply, operations.clock);
}

/** True of what would be the same for any other request to this registry now. */
function isOfAll({ reason }: Unavailable): boolean {
  return reason !== "denied" && reason !== "failed" && reason !== "refused";
}
