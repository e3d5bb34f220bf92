import { expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import type { Environment } from "./environment.ts";
import { s3CredentialSource, type S3CredentialWorld } from "./s3-credentials.ts";
import type { S3CredentialsSetting } from "./settings.ts";

type Files = Record<string, string>;

function worldOf(env: Environment, files: Files, nowMs: () => number = () => 0): S3CredentialWorld {
  return {
    env,
    readFile: (path) => {
      const text = files[path];
      return text === undefined
        ? Promise.reject(Object.assign(new Error(path), { code: "ENOENT" }))
        : Promise.resolve(text);
    },
    nowMs,
  };
}

const shared = `# ours
[default]
aws_access_key_id = AK
aws_secret_access_key=SK/+=
; a comment
[ci]  # of the pipeline
AWS_ACCESS_KEY_ID=AK2
aws_secret_access_key = SK2
aws_session_token = ST2
s3 =
  max_concurrent_requests = 20
  aws_access_key_id = nested
[half]
aws_access_key_id = AK3
`;
const home = "/home/ann";
const files = {
  [`${home}/.aws/credentials`]: shared,
  "/other": "[default]\r\naws_access_key_id=O\r\naws_secret_access_key=P\r\n",
  "/secret": "S\n",
};
const own = { accessKeyId: "AK", secretAccessKey: "SK/+=", sessionToken: undefined };
const ci = { accessKeyId: "AK2", secretAccessKey: "SK2", sessionToken: "ST2" };
const inEnv = { AWS_ACCESS_KEY_ID: "E", AWS_SECRET_ACCESS_KEY: "F" };
const aws: S3CredentialsSetting = { kind: "aws" };

test.each<[string, S3CredentialsSetting, Environment, object | undefined]>([
  ["nobody", { kind: "none" }, inEnv, undefined],
  [
    "the environment",
    aws,
    { ...inEnv, HOME: home },
    { accessKeyId: "E", secretAccessKey: "F", sessionToken: undefined },
  ],
  ["a session of the environment", aws, { ...inEnv, AWS_SESSION_TOKEN: "T" }, { sessionToken: "T" }],
  ["the shared file", aws, { HOME: home }, own],
  ["the shared file, beside a token that is of no key", aws, { HOME: home, AWS_SESSION_TOKEN: "T" }, own],
  ["a profile by the environment", aws, { HOME: home, AWS_PROFILE: "ci" }, ci],
  ["another file by the environment", aws, { HOME: home, AWS_SHARED_CREDENTIALS_FILE: "/other" }, { accessKeyId: "O" }],
  ["a profile", { kind: "profile", profile: "ci", file: undefined }, { ...inEnv, HOME: home }, ci],
  ["a profile of a file", { kind: "profile", profile: "default", file: "/other" }, {}, { secretAccessKey: "P" }],
  [
    "a key",
    { kind: "key", accessKeyId: "K", secretAccessKeyFile: "/secret" },
    { AWS_SESSION_TOKEN: "T" },
    { accessKeyId: "K", secretAccessKey: "S", sessionToken: undefined },
  ],
])("the credential of %s", async (_, setting, env, expected) => {
  const found: unknown = await s3CredentialSource(setting, worldOf(env, files))();
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject(expected);
});

test.each<[string, S3CredentialsSetting, Environment, string]>([
  ["half of the environment", aws, { AWS_ACCESS_KEY_ID: "E" }, "only one is set"],
  ["nothing to look in", aws, {}, "there is no AWS_ACCESS_KEY_ID, and no home folder to look in"],
  ["no file", aws, { HOME: "/root" }, "there is no AWS_ACCESS_KEY_ID, and /root/.aws/credentials cannot be read"],
  [
    "only a role",
    aws,
    { HOME: "/root", AWS_WEB_IDENTITY_TOKEN_FILE: "/token" },
    "AWS_WEB_IDENTITY_TOKEN_FILE is set, but roles are not assumed here",
  ],
  ["half a profile", { kind: "profile", profile: "half", file: undefined }, { HOME: home }, 'in its profile "half"'],
  ["no profile", { kind: "profile", profile: "no", file: "/other" }, {}, 'in its profile "no"'],
  ["no secret", { kind: "key", accessKeyId: "K", secretAccessKeyFile: "/no" }, {}, "/no cannot be read"],
])("with %s there is a failure that says so, without a secret", async (_, setting, env, message) => {
  const failure: unknown = await s3CredentialSource(setting, worldOf(env, files))().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect(String(failure)).toContain(message);
  expect(String(failure)).not.toMatch(/SK|AK3/);
});

test("a rotated key is taken up within a minute", async () => {
  let nowMs = 0;
  const changing: Files = { "/secret": "old" };
  const source = s3CredentialSource(
    { kind: "key", accessKeyId: "K", secretAccessKeyFile: "/secret" },
    worldOf({}, changing, () => nowMs),
  );
  expect((await source())?.secretAccessKey).toBe("old");
  changing["/secret"] = "new";
  nowMs = 59_999;
  expect((await source())?.secretAccessKey).toBe("old");
  nowMs = 60_000;
  expect((await source())?.secretAccessKey).toBe("new");
});
