import { expect, test } from "bun:test";
import type { S3Credential } from "../config/s3-credential.ts";
import { parseHost } from "../reference/host.ts";
import { repository } from "../registry/testing/content.ts";
import { createEcrRepository, type EcrWorld } from "./create.ts";
import { ecrPlaceOf } from "./place.ts";

const host = parseHost("123456789012.dkr.ecr.eu-west-1.amazonaws.com")!;
const key = "AKIDEXAMPLE";
const credential: S3Credential = { accessKeyId: key, secretAccessKey: "wJalrXUtnFEMI", sessionToken: undefined };

interface Scripted extends AsyncDisposable {
  readonly url: string;
  readonly asked: { readonly headers: Headers; readonly text: string }[];
}

function scripted(status: number, answer: string): Scripted {
  const asked: Scripted["asked"] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      asked.push({
        headers: request.headers,
        text: `${request.method} ${new URL(request.url).pathname} ${await request.text()}`,
      });
      return new Response(answer, { status });
    },
  });
  return { url: `http://127.0.0.1:${server.port}/`, asked, [Symbol.asyncDispose]: () => server.stop(true) };
}

const world = (more: Partial<EcrWorld> = {}): EcrWorld => ({
  fetch,
  credentials: () => Promise.resolve(credential),
  epochMs: () => Date.UTC(2026, 0, 31, 23, 59, 30),
  signal: new AbortController().signal,
  ...more,
});

test.each([
  [200, '{"repository":{}}', { kind: "created" }],
  [400, '{"__type":"RepositoryAlreadyExistsException","message":"x"}', { kind: "there" }],
  [400, '{"__type":"com.amazonaws.ecr#RepositoryAlreadyExistsException"}', { kind: "there" }],
  [
    400,
    '{"__type":"AccessDeniedException","Message":"not\\nallowed"}',
    { kind: "refused", reason: "AccessDeniedException: not allowed" },
  ],
  [500, "<html>", { kind: "refused", reason: "answered 500" }],
] as const)("%d %s is %j", async (status, answer, expected) => {
  await using server = scripted(status, answer);
  const made = await createEcrRepository(world(), ecrPlaceOf(host, server.url)!, repository("k8s/pause"));
  expect(made.kind).toBe(expected.kind);
  if (made.kind === "refused" && "reason" in expected) expect(made.reason).toContain(expected.reason);
});

test("the request: JSON 1.1, the account of the host, signed for ecr and its region, the token with it", async () => {
  await using server = scripted(200, "{}");
  const credentials = (): Promise<S3Credential> => Promise.resolve({ ...credential, sessionToken: "a-token" });
  await createEcrRepository(world({ credentials }), ecrPlaceOf(host, server.url)!, repository("k8s/pause"));
  const [{ headers, text } = { headers: new Headers(), text: "" }] = server.asked;
  expect(text).toBe('POST / {"registryId":"123456789012","repositoryName":"k8s/pause"}');
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.CreateRepository",
    "x-amz-date": "20260131T235930Z",
    "x-amz-security-token": "a-token",
  });
  const authorization = headers.get("authorization") ?? "";
  expect(authorization).toStartWith(
    `AWS4-HMAC-SHA256 Credential=${key}/20260131/eu-west-1/ecr/aws4_request, SignedHeaders=`,
  );
  for (const name of ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"])
    expect(authorization).toContain(name);
});

test("no plain HTTP but on this machine, no credential, nobody there, stopped", async () => {
  const refusal = async (endpoint: string, more: Partial<EcrWorld> = {}): Promise<string> => {
    const made = await createEcrRepository(world(more), ecrPlaceOf(host, endpoint)!, repository("x"));
    return made.kind === "refused" ? made.reason : made.kind;
  };
  expect(await refusal("http://ecr.example")).toBe("ecr.example would be asked by plain HTTP");
  expect(await refusal("http://127.0.0.1:9", { credentials: () => Promise.resolve(undefined) })).toContain(
    "no AWS credential",
  );
  expect(await refusal("http://127.0.0.1:9")).toStartWith("127.0.0.1:9 does not answer");
  expect(await refusal("http://127.0.0.1:9", { signal: AbortSignal.abort() })).toStartWith(
    "127.0.0.1:9 does not answer",
  );
});

test.each([
  ["123456789012.dkr.ecr.eu-west-1.amazonaws.com", "https://api.ecr.eu-west-1.amazonaws.com"],
  ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "https://api.ecr.cn-north-1.amazonaws.com.cn"],
  ["public.ecr.aws", undefined],
  ["12345.dkr.ecr.eu-west-1.amazonaws.com", undefined],
  ["123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", undefined],
  ["123456789012.dkr.ecr.eu-west-1.amazonaws.com:444", undefined],
])("the API of %s is at %p", (name, endpoint) => {
  expect(ecrPlaceOf(parseHost(name)!)?.endpoint).toBe(endpoint);
});
