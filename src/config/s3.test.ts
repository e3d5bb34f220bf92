import { expect, test } from "bun:test";
import type { Draft } from "./draft.ts";
import type { Environment } from "./environment.ts";
import type { S3Entry } from "./file.ts";
import { createFindings } from "./problem.ts";
import { allParts } from "./prune.ts";
import { s3Of } from "./s3.ts";
import { s3Bucket } from "./s3-schema.ts";

function draftIn(env: Environment): Draft {
  return {
    ...allParts({ rules: [] }),
    source: { file: "config.yaml", path: "/etc/periplus/config.yaml", lineOf: () => 1 },
    cwd: "/home/ann",
    env,
    overrides: {},
    contents: new Map([["/etc/periplus/ca.crt", { kind: "text", text: "PEM" }]]),
    findings: createFindings("config.yaml", () => ({ line: 1, column: 1 })),
  };
}

const at = ["storage", "blobs"];
const region = "eu-central-1";

test.each<[string, string | S3Entry, Environment, object]>([
  [
    "AWS",
    `s3://my-bucket/a?region=${region}`,
    {},
    {
      bucket: "my-bucket",
      prefix: "a",
      endpoint: `https://s3.${region}.amazonaws.com`,
      region,
      pathStyle: false,
      credentials: { kind: "aws" },
      ca: undefined,
      insecure: false,
      proxy: undefined,
      mayBePrivate: false,
    },
  ],
  ["AWS in China", "s3://my-bucket?region=cn-north-1", {}, { endpoint: "https://s3.cn-north-1.amazonaws.com.cn" }],
  ["a bucket with dots", `s3://my.bucket?region=${region}`, {}, { pathStyle: true }],
  ["the environment's region", "s3://my-bucket", { AWS_REGION: region }, { region }],
  ["the environment's other region", "s3://my-bucket", { AWS_DEFAULT_REGION: region }, { region }],
  [
    "an endpoint",
    "s3://my-bucket?endpoint=http://127.0.0.1:9000/",
    {},
    { endpoint: "http://127.0.0.1:9000", region: "us-east-1", pathStyle: true, mayBePrivate: true },
  ],
  [
    "a proxy of the environment",
    `s3://my-bucket?region=${region}`,
    { https_proxy: "http://proxy:3128" },
    { proxy: "http://proxy:3128" },
  ],
  [
    "an entry",
    {
      bucket: "my-bucket",
      endpoint: "http://minio.internal",
      insecure: true,
      ca: "ca.crt",
      proxy: "http://proxy:1",
      credentials: { accessKeyId: "K", secretAccessKeyFile: "secret" },
    },
    {},
    {
      prefix: "",
      insecure: true,
      ca: "PEM",
      proxy: "http://proxy:1",
      credentials: { kind: "key", accessKeyId: "K", secretAccessKeyFile: "/etc/periplus/secret" },
    },
  ],
  [
    "a profile",
    { bucket: "my-bucket", region, credentials: { profile: "ci", file: "/aws" } },
    {},
    { credentials: { kind: "profile", profile: "ci", file: "/aws" } },
  ],
  [
    "a profile of AWS's own file",
    `s3://my-bucket?region=${region}&profile=ci`,
    {},
    { credentials: { kind: "profile", profile: "ci", file: undefined } },
  ],
  ["nobody", { bucket: "my-bucket", region, credentials: "none" }, {}, { credentials: { kind: "none" } }],
])("settings of %s", (_, given, env, expected) => {
  const draft = draftIn(env);
  expect(s3Bucket.safeParse(given).success).toBe(true);
  expect(s3Of(draft, given, at)).toMatchObject(expected);
  expect(draft.findings.problems).toEqual([]);
});

test.each<[string | S3Entry, string]>([
  ["s3://My-Bucket", "storage.blobs: names no bucket"],
  ["s3://my-bucket", "storage.blobs: has neither region nor endpoint"],
  ["s3://my-bucket?endpoint=ftp://x", "storage.blobs: its endpoint must be a URL"],
  ["s3://my-bucket?endpoint=https://x/path", "storage.blobs: its endpoint must be scheme and host only"],
  ["s3://my-bucket?endpoint=http://minio.internal", "storage.blobs: would be reached by plain HTTP"],
  ["s3://my-bucket?endpoint=https://10.0.0.1&pathStyle=false", "storage.blobs: pathStyle must be true"],
])("%j is a problem", (given, message) => {
  const draft = draftIn({});
  s3Of(draft, given, at);
  const [problem, ...others] = draft.findings.problems;
  expect([`${problem?.path}: ${problem?.message}`, others]).toEqual([expect.stringContaining(message), []]);
});

test.each<[unknown, string]>([
  [5, "must be s3://BUCKET/PREFIX or { bucket"],
  [{ bucket: "my-bucket", regoin: "x" }, "regoin"],
  [{ region }, "is missing"],
  [{ bucket: "My" }, "must be 3 to 63"],
  [{ bucket: "my-bucket", prefix: "/a" }, "must be segments"],
  [{ bucket: "my-bucket", credentials: { accessKeyId: "K" } }, "must be aws, none"],
  [{ bucket: "my-bucket", endpoint: "https://ann:hunter2@x" }, "must have no user or password"],
])("%j does not fit the schema", (given, message) => {
  const { error } = s3Bucket.safeParse(given);
  expect(JSON.stringify(error?.issues)).toContain(message);
  expect(JSON.stringify(error?.issues)).not.toContain("hunter2");
});
