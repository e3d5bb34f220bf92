import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import type { Environment } from "./environment.ts";
import { readContent, type ReadFile, withoutLineEnd } from "./files.ts";
import { remembered } from "./remembered.ts";
import type { S3Credential, S3CredentialSource } from "./s3-credential.ts";
import { profileOf } from "./s3-profile.ts";
import type { S3CredentialsSetting } from "./settings.ts";

/** What the credentials of a bucket are read from. */
export interface S3CredentialWorld {
  readonly env: Environment;
  readonly readFile: ReadFile;
  /** Any clock that only goes forward. */
  readonly nowMs: () => number;
}

/**
 * Where a bucket's credential comes from. It is read when it is asked for and remembered for a minute, so that a rotated one is taken up.
 * The source throws `CONFIG_INVALID` when there is none where one must be; what is in it is in no message.
 */
export function s3CredentialSource(setting: S3CredentialsSetting, world: S3CredentialWorld): S3CredentialSource {
  switch (setting.kind) {
    case "none":
      return () => Promise.resolve(undefined);
    case "aws":
      return remembered(() => awsCredential(world), world.nowMs);
    case "profile":
      return remembered(() => profileCredential(world, setting.profile, setting.file), world.nowMs);
    case "key":
      return remembered(() => keyCredential(world, setting), world.nowMs);
  }
}

async function awsCredential(world: S3CredentialWorld): Promise<S3Credential> {
  const { env } = world;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  if (!accessKeyId && !secretAccessKey) {
    return await profileCredential(world, env["AWS_PROFILE"] || "default", undefined);
  }
  if (!accessKeyId || !secretAccessKey) {
    throw invalid("of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set; set both, or neither");
  }
  return { accessKeyId, secretAccessKey, sessionToken: token || undefined };
}

async function profileCredential(
  world: S3CredentialWorld,
  profile: string,
  file: string | undefined,
): Promise<S3Credential> {
  const path = file ?? sharedFile(world.env);
  if (path === undefined)
    throw invalid(`there is no AWS_ACCESS_KEY_ID, and no home folder to look in${roleHint(world)}`);
  const content = await readContent(world.readFile, path);
  if (content.kind === "unreadable") {
    const without = file === undefined ? "there is no AWS_ACCESS_KEY_ID, and " : "";
    throw invalid(`${without}${path} ${content.reason}${roleHint(world)}`);
  }
  const found = profileOf(content.text, profile);
  if (found !== undefined) return found;
  throw invalid(`${path} has no aws_access_key_id with aws_secret_access_key in its profile "${profile}"`);
}

async function keyCredential(
  { readFile }: S3CredentialWorld,
  { accessKeyId, secretAccessKeyFile }: Extract<S3CredentialsSetting, { readonly kind: "key" }>,
): Promise<S3Credential> {
  const content = await readContent(readFile, secretAccessKeyFile);
  if (content.kind === "unreadable") throw invalid(`${secretAccessKeyFile} ${content.reason}`);
  return { accessKeyId, secretAccessKey: withoutLineEnd(content.text), sessionToken: undefined };
}

function sharedFile({ AWS_SHARED_CREDENTIALS_FILE: file, HOME: home }: Environment): string | undefined {
  return file || (home ? join(home, ".aws", "credentials") : undefined);
}

/** Where a role would have given a credential, which is not asked for here. */
function roleHint({ env }: S3CredentialWorld): string {
  const roles = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"].filter((name) => env[name]);
  return roles.length === 0
    ? ""
    : `; ${roles.join(" and ")} is set, but roles are not assumed here: give an access key`;
}

function invalid(message: string): Failure {
  return new Failure({ code: "CONFIG_INVALID", message });
}
