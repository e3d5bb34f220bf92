import type { Answer, CallLimits, Unavailable } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { ListedObject, ListQuestion, ObjectPage, S3Bucket } from "./bucket.ts";
import { refused, type S3Request } from "./call.ts";
import type { Operations } from "./operations.ts";
import { childText, type XmlElement } from "./xml.ts";

const pageMaxKeys = 1000;
const pageMaxBytes = 8 * 1024 * 1024;
const continuationMaxLength = 4096;

/** One page of the bucket's objects below its prefix. A page that goes on where it began is refused, so that no list is endless so. */
export async function listObjects(
  operations: Operations,
  question: ListQuestion,
  limits: CallLimits,
): Promise<Answer<ObjectPage>> {
  const { address, clock } = operations;
  const request: S3Request = {
    asked: `list of ${address.name}`,
    method: "GET",
    fullKey: undefined,
    query: queryOf(address.keyPrefix, question),
    headers: {},
    answer: { xmlMaxBytes: pageMaxBytes },
  };
  const reply = await operations.call(request, limits);
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return refused(request, reply, clock);
  reply.close();
  const page = reply.xml === undefined ? undefined : pageOf(reply.xml, address.keyPrefix, question);
  return page ?? unavailable("refused", `${request.asked}: ${reply.host} answered with what is no page of it`);
}

/** What a whole list is bounded by. */
export interface ListBounds {
  readonly prefix?: string;
  /** A list of more is refused. */
  readonly maxObjects: number;
}

/** Stores may send a page without an object, but not for ever. */
const emptyPagesMax = 100;

/** Every page of a list. What ends it early is given as its last value; `limits` are each page's own. */
export async function* listPages(
  bucket: Pick<S3Bucket, "name" | "list">,
  { prefix = "", maxObjects }: ListBounds,
  limits: CallLimits,
): AsyncGenerator<Extract<Answer<ObjectPage>, { kind: "found" }> | Unavailable> {
  let continuation: string | undefined;
  let listed = 0;
  let empty = 0;
  do {
    const page = await bucket.list({ prefix, ...(continuation === undefined ? {} : { continuation }) }, limits);
    if (page.kind !== "found") {
      yield page.kind === "unavailable" ? page : unavailable("failed", `list of ${bucket.name}: it is not there`);
      return;
    }
    listed += page.objects.length;
    empty = page.objects.length === 0 ? empty + 1 : 0;
    if (listed > maxObjects || empty > emptyPagesMax) {
      yield unavailable(
        "refused",
        `list of ${bucket.name}: it has more than the ${maxObjects} objects that are allowed`,
      );
      return;
    }
    yield page;
    continuation = page.next;
  } while (continuation !== undefined);
}

function queryOf(keyPrefix: string, question: ListQuestion): Readonly<Record<string, string>> {
  const { prefix = "", continuation, maxKeys = pageMaxKeys } = question;
  return {
    "list-type": "2",
    "encoding-type": "url",
    "max-keys": String(Math.min(maxKeys, pageMaxKeys)),
    ...(keyPrefix + prefix === "" ? {} : { prefix: keyPrefix + prefix }),
    ...(continuation === undefined ? {} : { "continuation-token": continuation }),
  };
}

function pageOf(
  list: XmlElement,
  keyPrefix: string,
  { prefix = "", continuation }: ListQuestion,
): Answer<ObjectPage> | undefined {
  if (list.name !== "ListBucketResult") return undefined;
  const isEncoded = childText(list, "EncodingType") === "url";
  const contents = list.children.filter(({ name }) => name === "Contents");
  if (contents.length > pageMaxKeys) return undefined;
  const objects: ListedObject[] = [];
  for (const content of contents) {
    const object = objectOf(content, keyPrefix, isEncoded);
    if (object === undefined || !object.key.startsWith(prefix)) return undefined;
    objects.push(object);
  }
  if (childText(list, "IsTruncated") !== "true") return { kind: "found", objects, next: undefined };
  const next = childText(list, "NextContinuationToken") ?? "";
  const goesOn = next !== "" && next.length <= continuationMaxLength && next !== continuation;
  return goesOn ? { kind: "found", objects, next } : undefined;
}

function objectOf(content: XmlElement, keyPrefix: string, isEncoded: boolean): ListedObject | undefined {
  const text = childText(content, "Key");
  const size = childText(content, "Size");
  const key = text === undefined || !isEncoded ? text : decodedKey(text);
  if (key === undefined || size === undefined || !/^[0-9]{1,15}$/.test(size) || !key.startsWith(keyPrefix)) {
    return undefined;
  }
  const modified = Date.parse(childText(content, "LastModified") ?? "");
  return {
    key: key.slice(keyPrefix.length),
    sizeBytes: Number(size),
    modifiedEpochMs: Number.isNaN(modified) ? undefined : modified,
  };
}

/** S3 writes a space as a plus sign in encoded keys. */
function decodedKey(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
