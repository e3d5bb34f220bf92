import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KeyPair } from "./certificates.ts";
import { basicAuthorization, type Credentials } from "./endpoint.ts";

/** One request for a token, in the order they came. */
interface TokenRequest {
  readonly scopes: readonly string[];
  /** The user, undefined for an anonymous request, null when the credentials were refused. */
  readonly user: string | undefined | null;
}

export interface TokenServerOptions {
  /** Where `jwks.json` is written, for the registry to read. */
  readonly folder: string;
  /** May pull, push and delete everything, and list what there is. */
  readonly user: Credentials;
  /** Whether a token without credentials may pull. */
  readonly anonymousPull?: boolean;
  readonly lifetimeS?: number;
  /** Serves https; clients refuse a token server without it for a registry with it. */
  readonly tls?: KeyPair;
}

/** A token server as registries use it (distribution's token specification): GET and the OAuth2 POST form. */
export interface TokenServer extends Disposable {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly jwksFile: string;
  readonly requests: readonly TokenRequest[];
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

interface Asked {
  readonly service: string;
  readonly scopes: readonly string[];
  readonly credentials: string | undefined;
}

const SERVICE = "registry.test";
const ISSUER = "token.test";

/**
 * Serves tokens on a free port of 127.0.0.1, signed by an ES256 key made here. The realm says localhost: crane refuses
 * a private address written in numbers, and oras any loopback name that is not the registry's own.
 */
export function startTokenServer(options: TokenServerOptions): TokenServer {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyId = randomUUID();
  const jwksFile = join(options.folder, "jwks.json");
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: keyId, use: "sig", alg: "ES256" };
  writeFileSync(jwksFile, JSON.stringify({ keys: [jwk] }));
  const requests: TokenRequest[] = [];
  const lifetimeS = options.lifetimeS ?? 300;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    ...(options.tls === undefined ? {} : { tls: pemOf(options.tls) }),
    fetch: async (request) => {
      const asked = await read(request);
      if (asked.service !== SERVICE) return Response.json({ details: "unknown service" }, { status: 400 });
      const user = userOf(asked.credentials, options.user);
      requests.push({ scopes: asked.scopes, user });
      if (user === null) return Response.json({ details: "wrong user or password" }, { status: 401 });
      const allowed =
        user === undefined ? (options.anonymousPull === true ? ["pull"] : []) : ["pull", "push", "delete", "*"];
      const access = asked.scopes.map((scope) => grant(scope, allowed)).filter((entry) => entry.actions.length > 0);
      const token = signToken({ privateKey, keyId, claims: claims({ user, access, lifetimeS }) });
      return Response.json({ token, access_token: token, expires_in: lifetimeS });
    },
  });
  return {
    realm: `${options.tls === undefined ? "http" : "https"}://localhost:${server.port}/token`,
    service: SERVICE,
    issuer: ISSUER,
    jwksFile,
    requests,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

function pemOf(pair: KeyPair): { cert: string; key: string } {
  return { cert: readFileSync(pair.certFile, "utf8"), key: readFileSync(pair.keyFile, "utf8") };
}

async function read(request: Request): Promise<Asked> {
  if (request.method !== "POST") {
    const query = new URL(request.url).searchParams;
    return {
      service: query.get("service") ?? "",
      scopes: query.getAll("scope").flatMap((scope) => scope.split(" ")),
      credentials: request.headers.get("authorization") ?? undefined,
    };
  }
  const form = new URLSearchParams(await request.text());
  const username = form.get("username");
  return {
    service: form.get("service") ?? "",
    scopes: (form.get("scope") ?? "").split(" ").filter((scope) => scope !== ""),
    credentials: username === null ? undefined : basicAuthorization({ username, password: form.get("password") ?? "" }),
  };
}

function userOf(authorization: string | undefined, known: Credentials): string | undefined | null {
  if (authorization === undefined) return undefined;
  return authorization === basicAuthorization(known) ? known.username : null;
}

/** `repository:team/app:pull,push` cut down to what is allowed; the name may hold colons, the ends may not. */
function grant(scope: string, allowed: readonly string[]): Access {
  const first = scope.indexOf(":");
  const last = scope.lastIndexOf(":");
  const actions = scope.slice(last + 1).split(",");
  return {
    type: scope.slice(0, first),
    name: scope.slice(first + 1, last),
    actions: actions.filter((action) => allowed.includes(action)),
  };
}

function claims(grants: { user: string | undefined; access: readonly Access[]; lifetimeS: number }): object {
  const nowS = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    sub: grants.user ?? "",
    aud: SERVICE,
    nbf: nowS - 5,
    iat: nowS,
    exp: nowS + grants.lifetimeS,
    jti: randomUUID(),
    access: grants.access,
  };
}

function signToken(token: { privateKey: KeyObject; keyId: string; claims: object }): string {
  const header = { typ: "JWT", alg: "ES256", kid: token.keyId };
  const body = [header, token.claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(body), { key: token.privateKey, dsaEncoding: "ieee-p1363" });
  return `${body}.${signature.toString("base64url")}`;
}
