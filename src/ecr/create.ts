import { sign } from "aws4";
import { isLoopback } from "../config/place.ts";
import type { S3CredentialSource } from "../config/s3-credential.ts";
import type { Repository } from "../reference/repository.ts";
import type { EcrPlace } from "./place.ts";

/** What a repository is created with. */
export interface EcrWorld {
  readonly fetch: (url: string, init: BunFetchRequestInit) => Promise<Response>;
  /** The credential of AWS's own programs. */
  readonly credentials: S3CredentialSource;
  readonly epochMs: () => number;
  readonly signal: AbortSignal;
}

/** What came of it. `there`: it was there already, or somebody else was faster. */
export type Creation = { readonly kind: "created" | "there" } | { readonly kind: "refused"; readonly reason: string };

const timeoutMs = 30_000;
const answerMaxBytes = 64 * 1024;
const operation = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";

/** Creates a repository. Amazon ECR API 2015-09-21, CreateRepository, by the protocol JSON 1.1. Throws what the credentials throw. */
export async function createEcrRepository(world: EcrWorld, place: EcrPlace, repository: Repository): Promise<Creation> {
  const url = new URL(`${place.endpoint}/`);
  if (url.protocol !== "https:" && !isLoopback(url.hostname))
    return refused(`${url.host} would be asked by plain HTTP`);
  const body = JSON.stringify({ registryId: place.account, repositoryName: repository });
  const headers = await signedHeaders(world, place, url, body);
  if (headers === undefined) return refused("there is no AWS credential");
  try {
    const signal = AbortSignal.any([world.signal, AbortSignal.timeout(timeoutMs)]);
    const answer = await world.fetch(url.href, { method: "POST", headers, body, signal, redirect: "manual" });
    return await creationOf(answer, url.host);
  } catch (error) {
    return refused(`${url.host} does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function signedHeaders(
  { credentials, epochMs }: EcrWorld,
  { region }: EcrPlace,
  url: URL,
  body: string,
): Promise<Record<string, string> | undefined> {
  const credential = await credentials();
  if (credential === undefined) return undefined;
  const { accessKeyId, secretAccessKey, sessionToken } = credential;
  const headers = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": operation,
    "X-Amz-Date": new Date(epochMs()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
    ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
  };
  const keys = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const request = { service: "ecr", region, method: "POST", host: url.host, path: url.pathname, headers, body };
  const signed = sign(request, keys);
  return Object.fromEntries(Object.entries(signed.headers ?? {}).map(([name, value]) => [name, String(value)]));
}

async function creationOf(answer: Response, host: string): Promise<Creation> {
  const length = Number(answer.headers.get("content-length") ?? 0);
  if (length > answerMaxBytes) return refused(`${host} answered ${answer.status} with too much`);
  const text = (await answer.text()).slice(0, answerMaxBytes);
  if (answer.status === 200) return { kind: "created" };
  const { type, message } = errorOf(text);
  if (type === "RepositoryAlreadyExistsException") return { kind: "there" };
  return refused(
    `${host} answered ${answer.status}${type === "" ? "" : ` ${type}`}${message === "" ? "" : `: ${message}`}`,
  );
}

/** `{"__type": "…#NAME", "message": …}`. Smithy, AWS JSON 1.1, "Operation error serialization". */
function errorOf(text: string): { readonly type: string; readonly message: string } {
  try {
    const document: unknown = JSON.parse(text);
    const members = new Map(Object.entries(typeof document === "object" && document !== null ? document : {}));
    const type = /([A-Za-z]+)(?::.*)?$/.exec(textOf(members.get("__type")))?.[1] ?? "";
    return { type, message: oneLine(textOf(members.get("message") ?? members.get("Message"))) };
  } catch {
    return { type: "", message: "" };
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, 300);
}

function refused(reason: string): Creation {
  return { kind: "refused", reason };
}
