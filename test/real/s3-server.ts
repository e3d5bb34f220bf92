import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { S3Credential } from "../../src/config/s3-credential.ts";
import { createAuthority, issueCertificate } from "./certificates.ts";
import { freePort, launch, type Running, temporaryFolder } from "./process.ts";
import { binary } from "./versions.ts";

export interface S3ServerOptions {
  /** Buckets that are there from the start; names have 3 letters or more. */
  readonly buckets: readonly string[];
  /** With a certificate for localhost and 127.0.0.1 from an authority made for this server. */
  readonly tls?: boolean;
  /** Name that buckets are subdomains of, as in `BUCKET.localhost`. */
  readonly virtualDomain?: string;
}

/** versitygw with its objects in a folder of their own: one file each, `BUCKET/KEY`. */
export interface S3Server extends AsyncDisposable {
  /** At 127.0.0.1. */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly credential: S3Credential;
  readonly caFile: string | undefined;
  readonly dataFolder: string;
  readonly running: Running;
}

const REGION = "eu-test-1";
const KEY: S3Credential = { accessKeyId: "ann", secretAccessKey: "s3cret/and+more", sessionToken: undefined };

/** Starts versitygw on a free port of loopback, and waits until it answers. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const folder = await temporaryFolder("s3");
  const port = freePort();
  const dataFolder = join(folder.path, "data");
  for (const bucket of options.buckets) await mkdir(join(dataFolder, bucket), { recursive: true });
  const tls = options.tls === true ? await certificateIn(folder.path) : undefined;
  const domain = options.virtualDomain === undefined ? [] : ["--virtual-domain", options.virtualDomain];
  const certificate = tls === undefined ? [] : ["--cert", tls.certFile, "--key", tls.keyFile];
  const keys = ["--access", KEY.accessKeyId, "--secret", KEY.secretAccessKey, "--region", REGION];
  const endpoint = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  const running = await launch({
    command: [
      binary("versitygw"),
      ...keys,
      ...domain,
      ...certificate,
      "--port",
      `127.0.0.1:${port}`,
      "posix",
      dataFolder,
    ],
    logFile: join(folder.path, "versitygw.log"),
    ready: async () => (await fetch(endpoint, { tls: { rejectUnauthorized: false } })).status > 0,
  });
  return {
    endpoint,
    port,
    region: REGION,
    credential: KEY,
    caFile: tls?.caFile,
    dataFolder,
    running,
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function certificateIn(
  folder: string,
): Promise<{ readonly certFile: string; readonly keyFile: string; readonly caFile: string }> {
  const authority = await createAuthority(folder);
  const names = ["DNS:localhost", "DNS:*.localhost", "IP:127.0.0.1"];
  const leaf = await issueCertificate(authority, { folder, name: "server", names, use: "server" });
  return { ...leaf, caFile: authority.certFile };
}
