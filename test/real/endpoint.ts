import { readFile } from "node:fs/promises";

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
  const tls = endpoint.caFile === undefined ? {} : { tls: { ca: await readFile(endpoint.caFile, "utf8") } };
  return fetch(`${urlOf(endpoint)}${path}`, {
    redirect: "manual",
    signal: AbortSignal.timeout(30_000),
    ...init,
    ...tls,
    headers,
  });
}
