import { join } from "node:path";
import { mustRun } from "./process.ts";
import { binary } from "./versions.ts";

/** A certificate and its private key as PEM files. */
export interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface LeafOptions {
  readonly folder: string;
  /** Common name, and the stem of the file names. */
  readonly name: string;
  /** Subject alternative names: `DNS:registry.test`, `IP:127.0.0.1`. */
  readonly names: readonly string[];
  readonly use: "server" | "client";
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256", "-days", "2"];

/** Makes a certificate authority of our own: `ca.pem` and `ca.key` in the folder. */
export async function createAuthority(folder: string): Promise<KeyPair> {
  const pair = { certFile: join(folder, "ca.pem"), keyFile: join(folder, "ca.key") };
  const files = ["-out", pair.certFile, "-keyout", pair.keyFile];
  await mustRun([binary("openssl"), "req", "-x509", ...KEY, "-subj", "/CN=test authority", ...files]);
  return pair;
}

/** Makes a server or client certificate that the authority signs. */
export async function issueCertificate(authority: KeyPair, options: LeafOptions): Promise<KeyPair> {
  const stem = join(options.folder, options.name);
  const pair = { certFile: `${stem}.pem`, keyFile: `${stem}.key` };
  const use = options.use === "server" ? "serverAuth" : "clientAuth";
  const signer = ["-CA", authority.certFile, "-CAkey", authority.keyFile];
  const extensions = [
    ["-addext", `subjectAltName=${options.names.join(",")}`],
    ["-addext", `extendedKeyUsage=${use}`],
    ["-addext", "basicConstraints=critical,CA:FALSE"],
  ].flat();
  const files = ["-out", pair.certFile, "-keyout", pair.keyFile];
  const request = ["req", "-x509", ...KEY, ...signer, "-subj", `/CN=${options.name}`];
  await mustRun([binary("openssl"), ...request, ...extensions, ...files]);
  return pair;
}
