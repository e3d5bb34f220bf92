import { readFile } from "node:fs/promises";
import type { KeyPair } from "./certificates.ts";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Where clients reach a registry, and what they need for it. */
export interface Endpoint {
  /** `127.0.0.1:5000`, as it stands in an image reference. */
  readonly host: string;
  readonly scheme: "http" | "https";
  /** PEM file of the authority that signed the server's certificate. */
  readonly caFile?: string;
  readonly credentials?: Credentials;
  /** For a server that wants a certificate of its clients; crane has no means to send one. */
  readonly clientCertificate?: KeyPair;
}

/** `http://127.0.0.1:5000`, without a slash at the end. */
export function urlOf(endpoint: Endpoint): string {
  return `${endpoint.scheme}://${endpoint.host}`;
}

/** The value of a Basic Authorization header (RFC 7617). */
export function basicAuthorization({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** GET of a path below the endpoint with its authority and, by Basic, its credentials; redirects are not followed. */
export async function get(endpoint: Endpoint, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (endpoint.credentials !== undefined) headers.set("authorization", basicAuthorization(endpoint.credentials));
  const tls = endpoint.scheme === "http" ? {} : { tls: await trustOf(endpoint) };
  return fetch(`${urlOf(endpoint)}${path}`, {
    redirect: "manual",
    signal: AbortSignal.timeout(30_000),
    ...init,
    ...tls,
    headers,
  });
}

async function trustOf({ caFile, clientCertificate: own }: Endpoint): Promise<Bun.TLSOptions> {
  return {
    ...(caFile === undefined ? {} : { ca: await readFile(caFile, "utf8") }),
    ...(own === undefined
      ? {}
      : { cert: await readFile(own.certFile, "utf8"), key: await readFile(own.keyFile, "utf8") }),
  };
}
