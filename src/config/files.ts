import type { ConfigFile, S3Entry } from "./file.ts";
import type { Path } from "./problem.ts";

/** What was found at a path: its text, or why it could not be read. */
export type FileContent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "unreadable"; readonly reason: string; readonly isAbsent: boolean };

/** Reads a whole file as UTF-8. Rejects with the system's error, whose `code` says why. */
export type ReadFile = (path: string) => Promise<string>;

/** A file that the configuration names, and what for. */
export interface NamedFile {
  readonly path: string;
  readonly at: Path;
  /** Password files are read when they are used; a change of one is no reason to reload. */
  readonly holds: "tls" | "authority" | "users" | "password" | "cloud-ranges";
}

/** Every file that the configuration names. */
export function namedFiles(config: ConfigFile): readonly NamedFile[] {
  const named: NamedFile[] = [];
  const add = (holds: NamedFile["holds"], path: string | undefined, at: Path): void => {
    if (path !== undefined) named.push({ path, at, holds });
  };
  for (const [index, { cert, key, clientCA }] of (config.tls ?? []).entries()) {
    add("tls", cert, ["tls", index, "cert"]);
    add("tls", key, ["tls", index, "key"]);
    add("tls", clientCA, ["tls", index, "clientCA"]);
  }
  add("users", config.auth?.htpasswd, ["auth", "htpasswd"]);
  add("cloud-ranges", config.redirect?.cloudRanges, ["redirect", "cloudRanges"]);
  for (const [host, { ca, credentials }] of Object.entries(config.upstreams ?? {})) {
    add("authority", ca, ["upstreams", host, "ca"]);
    if (typeof credentials === "object") {
      add("password", credentials.passwordFile, ["upstreams", host, "credentials", "passwordFile"]);
    }
  }
  for (const { bucket, at } of bucketsIn(config)) {
    const { ca, credentials } = bucket;
    add("authority", ca, [...at, "ca"]);
    if (typeof credentials === "object" && "secretAccessKeyFile" in credentials) {
      add("password", credentials.secretAccessKeyFile, [...at, "credentials", "secretAccessKeyFile"]);
    }
  }
  return named;
}

/** Every S3 bucket that is written out. */
function bucketsIn(config: ConfigFile): readonly { readonly bucket: S3Entry; readonly at: Path }[] {
  const blobs = typeof config.storage === "object" ? config.storage.blobs : undefined;
  const filled = (config.redirect?.buckets ?? []).map(({ fill }, index) => [fill, index] as const);
  return [
    ...(typeof blobs === "object" ? [{ bucket: blobs, at: ["storage", "blobs"] }] : []),
    ...filled.flatMap(([bucket, index]) =>
      typeof bucket === "object" ? [{ bucket, at: ["redirect", "buckets", index, "fill"] }] : [],
    ),
  ];
}

/** Reads one file; what cannot be read is a value. */
export async function readContent(readFile: ReadFile, path: string): Promise<FileContent> {
  try {
    return { kind: "text", text: await readFile(path) };
  } catch (error) {
    const code = codeOf(error);
    const isAbsent = code === "ENOENT" || code === "ENOTDIR";
    return { kind: "unreadable", reason: reasons.get(code) ?? `cannot be read (${code})`, isAbsent };
  }
}

/** Editors put a line end behind a password, which is not part of it. */
export function withoutLineEnd(secret: string): string {
  return secret.replace(/\r?\n$/, "");
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "cannot be read: there is no such file"],
  ["ENOTDIR", "cannot be read: there is no such file"],
  ["EACCES", "cannot be read: permission denied"],
  ["EISDIR", "cannot be read: it is a folder"],
]);

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : String(error);
}
