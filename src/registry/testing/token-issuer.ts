import type { RecordedRequest } from "./http-wire.ts";
import { replyOf, type Script, type ScriptedReply } from "./scripted-reply.ts";
import type { ScriptedUpstream } from "./scripted-upstream.ts";

/** How an issuer gives tokens and how long they hold. */
export interface TokenIssuerOptions {
  /** How many requests one token is good for; any number by default. */
  readonly requestsPerToken?: number;
  /** The `Authorization` it wants; anything will do by default. */
  readonly authorization?: string;
  readonly expiresInS?: number;
}

/** A token service at `/token` of a scripted upstream, and what it guards. */
export interface TokenIssuer {
  /** The challenge of who has no good token. */
  readonly challenge: string;
  /** How many tokens were given. */
  readonly issued: () => number;
  /** A route that answers only who shows a good token. */
  protect(script: Script): Script;
}

/** Puts a token service on an upstream; `realmUrl` is where the challenge says it is. */
export function issueTokens(
  service: ScriptedUpstream,
  realmUrl: string,
  options: TokenIssuerOptions = {},
): TokenIssuer {
  const usesLeft = new Map<string, number>();
  const challenge = `Bearer realm="${realmUrl}",service="registry.test",scope="repository:what/it/says:pull,push"`;
  const answer = (request: RecordedRequest): ScriptedReply => {
    if (options.authorization !== undefined && request.headers.get("authorization") !== options.authorization) {
      return { status: 401, body: "{}" };
    }
    const token = `token-${usesLeft.size + 1}`;
    usesLeft.set(`Bearer ${token}`, options.requestsPerToken ?? Number.POSITIVE_INFINITY);
    return { body: JSON.stringify({ token, expires_in: options.expiresInS ?? 300 }) };
  };
  service.on("GET", "/token", answer);
  service.on("POST", "/token", answer);
  return {
    challenge,
    issued: () => usesLeft.size,
    protect: (script) => async (request, nth) => {
      const shown = request.headers.get("authorization") ?? "";
      const left = usesLeft.get(shown) ?? 0;
      if (left <= 0) return { status: 401, headers: { "WWW-Authenticate": challenge }, body: "{}" };
      usesLeft.set(shown, left - 1);
      return await replyOf(script, request, nth);
    },
  };
}
