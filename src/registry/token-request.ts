import { readWhole } from "./body.ts";
import type { Clock } from "./clock.ts";
import type { Credential } from "../config/credential.ts";
import type { Target } from "./origins.ts";
import { rateAdvice } from "./rate-headers.ts";
import type { Unavailable } from "./remote.ts";
import type { Token } from "./token-cache.ts";
import type { Exchange, Outgoing } from "./transport.ts";
import { unavailable } from "./unavailable.ts";

/** What a token is asked with. */
export interface TokenClient {
  readonly exchange: Exchange;
  readonly clock: Clock;
}

/** Which token is wanted, of whom, for what, and what proves who asks. */
export interface TokenQuestion {
  /** Checked already: where credentials may go. */
  readonly realm: Target;
  readonly service: string | undefined;
  /** One, or several with a space between them. */
  readonly scope: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

const answerMaxBytes = 64 * 1024;
const tokenMaxLength = 32 * 1024;
const defaultExpiresInS = 60;
const longestExpiresInS = 3600;

/**
 * Asks a token service for a token: GET with Basic, or POST with an identity token as OAuth2 refresh token (distribution's token
 * and oauth2 specifications). Redirects are not followed, so that no credential reaches a place that was not checked.
 */
export async function requestToken(client: TokenClient, question: TokenQuestion): Promise<Token | Unavailable> {
  const { realm, credential, signal } = question;
  const outgoing = credential?.kind === "identity-token" ? refreshOf(question, credential.token) : getOf(question);
  const answer = await client.exchange(outgoing);
  if (answer.kind === "unavailable") return answer;
  const { status, headers } = answer.response;
  const host = realm.url.host;
  const body = await readWhole(answer.response, { host, maxBytes: answerMaxBytes, signal });
  if (status === 429) {
    const retryAfterMs = rateAdvice(status, headers, client.clock.epochMs()).pauseMs;
    return unavailable("rate-limited", `the token service ${host} answered 429`, { status, retryAfterMs });
  }
  if (status !== 200) return refusalOf(host, status);
  if (body.kind === "unavailable") return body;
  return (
    parseToken(body.bytes) ?? unavailable("refused", `the token service ${host} answered without a token`, { status })
  );
}

function getOf({ realm, service, scope, credential, signal }: TokenQuestion): Outgoing {
  const url = new URL(realm.url);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const one of scope.split(" ")) if (one !== "") url.searchParams.append("scope", one);
  const headers: Record<string, string> = { Accept: "application/json" };
  if (credential?.kind === "basic") headers["Authorization"] = basicAuthorization(credential);
  return { method: "GET", target: { ...realm, url }, headers, signal };
}

function refreshOf({ realm, service, scope, signal }: TokenQuestion, refreshToken: string): Outgoing {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: "periplus",
    scope,
    refresh_token: refreshToken,
  });
  if (service !== undefined) form.set("service", service);
  const headers = { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" };
  return { method: "POST", target: realm, headers, body: form.toString(), signal };
}

/** `Authorization` of RFC 7617, in UTF-8. */
export function basicAuthorization(credential: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
}

function refusalOf(host: string, status: number): Unavailable {
  if (status === 401 || status === 403 || status === 400) {
    return unavailable("denied", `the token service ${host} answered ${status}; check the credentials for it`, {
      status,
    });
  }
  if (status >= 300 && status < 400) {
    return unavailable("refused", `the token service ${host} answered a redirect, and credentials follow none`, {
      status,
    });
  }
  return unavailable("failed", `the token service ${host} answered ${status}`, { status });
}

/** The token of a service's answer, if it has one that can be sent in a header. */
function parseToken(bytes: Uint8Array): Token | undefined {
  const answer = parseObject(bytes);
  const token = answer["token"] ?? answer["access_token"];
  if (typeof token !== "string" || token.length > tokenMaxLength || !/^[\x21-\x7e]+$/.test(token)) return undefined;
  const said = Number(answer["expires_in"] ?? defaultExpiresInS);
  const expiresInS = Number.isFinite(said) && said > 0 ? Math.min(said, longestExpiresInS) : defaultExpiresInS;
  return { kind: "token", token, expiresInMs: expiresInS * 1000 };
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
