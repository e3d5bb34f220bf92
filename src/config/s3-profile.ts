import type { S3Credential } from "./s3-credential.ts";

const MAX_LENGTH = 1024 * 1024;

/**
 * The keys of one profile of AWS's shared credentials file: `[NAME]`, then `key = value` lines; `#` and `;` begin comments. `undefined`
 * when it has no access key with a secret. AWS SDKs and tools reference, "Shared config and credentials files".
 */
export function profileOf(text: string, profile: string): S3Credential | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const values = new Map<string, string>();
  let section: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    section = sectionOf(line) ?? section;
    const [, key, value] = /^([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === profile && key !== undefined && value !== undefined) values.set(key.toLowerCase(), value);
  }
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: values.get("aws_session_token") || undefined };
}

function sectionOf(line: string): string | undefined {
  return /^\[\s*([^\]]*?)\s*\]\s*(?:[#;].*)?$/.exec(line)?.[1];
}
