import type { CallLimits, Unavailable } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import { refused, type S3Request } from "./call.ts";
import { keyIn, type NamedKey, type Operations, textPayload } from "./operations.ts";
import { childText, escapeXml } from "./xml.ts";

/** What a deletion came to. */
type Deleted = { readonly kind: "deleted" } | Unavailable;

/** As many keys as one request takes. Amazon S3 API reference, "DeleteObjects". */
const keysMax = 1000;
const answerMaxBytes = 4 * 1024 * 1024;

/** Deletes objects, several in one request. It stops at the first that could not be deleted; what is not there counts as deleted. */
export async function deleteObjects(
  operations: Operations,
  keys: readonly string[],
  limits: CallLimits,
): Promise<Deleted> {
  const named: NamedKey[] = [];
  for (const key of keys) {
    const one = keyIn(operations, key);
    if (one.kind === "unavailable") return one;
    named.push(one);
  }
  const [only, ...others] = named;
  if (only !== undefined && others.length === 0) return await deleteOne(operations, only, limits);
  for (let start = 0; start < named.length; start += keysMax) {
    const answer = await deleteBatch(operations, named.slice(start, start + keysMax), limits);
    if (answer.kind === "unavailable") return answer;
  }
  return { kind: "deleted" };
}

async function deleteOne(operations: Operations, key: NamedKey, limits: CallLimits): Promise<Deleted> {
  const asked = `DELETE of ${key.name}`;
  const request: S3Request = { asked, method: "DELETE", fullKey: key.fullKey, query: {}, headers: {}, answer: "none" };
  const reply = await operations.call(request, limits);
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") {
    return reply.code === "NoSuchKey" ? { kind: "deleted" } : refused(request, reply, operations.clock);
  }
  reply.close();
  return { kind: "deleted" };
}

async function deleteBatch(operations: Operations, keys: readonly NamedKey[], limits: CallLimits): Promise<Deleted> {
  const objects = keys.map(({ fullKey }) => `<Object><Key>${escapeXml(fullKey)}</Key></Object>`).join("");
  const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`;
  const request: S3Request = {
    asked: `deletion of ${keys.length} objects in ${operations.address.name}`,
    method: "POST",
    fullKey: undefined,
    query: { delete: "" },
    // Older stores insist on this hash for this one request.
    headers: { "Content-Type": "application/xml", "Content-MD5": md5Of(body) },
    payload: textPayload(body),
    answer: { xmlMaxBytes: answerMaxBytes },
  };
  const reply = await operations.call(request, limits);
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return refused(request, reply, operations.clock);
  reply.close();
  const errors = (reply.xml?.children ?? []).filter(
    (child) => child.name === "Error" && childText(child, "Code") !== "NoSuchKey",
  );
  if (errors.length === 0) return { kind: "deleted" };
  const code =
    childText(errors[0], "Code")
      ?.replaceAll(/[^A-Za-z]/g, "")
      .slice(0, 64) ?? "";
  const reason = code === "AccessDenied" ? "denied" : "failed";
  return unavailable(reason, `${request.asked}: ${reply.host} did not delete ${errors.length} of them (${code})`);
}

function md5Of(text: string): string {
  return new Bun.CryptoHasher("md5").update(text).digest("base64");
}
