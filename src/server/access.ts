import type { Action } from "../rules/rule.ts";
import { errorReply } from "./replies.ts";
import { originOf } from "./target.ts";
import type { Identity, TokenSigner } from "./token.ts";
import type { Users } from "./users.ts";

/** The users of this registry, when it has any. */
export interface Access {
  readonly users: Users;
  readonly signer: TokenSigner;
}

const tokenMs = 5 * 60_000;
const service = "periplus";
const basicChallenge = `Basic realm="${service}"`;

/** Who sent a request: by Basic or by one of our tokens; `undefined` when what it sent is wrong or there is nothing. */
export async function identify(access: Access, authorization: string | null): Promise<Identity | undefined> {
  const [scheme = "", value = ""] = authorization?.split(" ", 2) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return access.signer.read(value);
    case "basic": {
      const pair = Buffer.from(value, "base64").toString();
      const colon = pair.indexOf(":");
      const name = pair.slice(0, colon);
      const isRight = colon > 0 && (await access.users.check(name, pair.slice(colon + 1)));
      return isRight ? { kind: "user", name } : undefined;
    }
    default:
      return undefined;
  }
}

/** What a client would have to be let do, by the name that stands in the path. */
interface Wanted {
  readonly repository: string;
  readonly action: Action;
}

/** The token scope of each action. Distribution token scope specification. */
const scopes: Readonly<Record<Action, string>> = { pull: "pull", push: "pull,push", delete: "delete" };

/**
 * 401 with the challenge that makes clients ask our token endpoint, at the place that the request's URL names; one that names
 * none is asked for a password. Distribution token specification.
 */
export function challengeReply(url: string, wanted: Wanted | undefined): Response {
  const origin = originOf(url);
  const scope = wanted === undefined ? "" : `,scope="repository:${wanted.repository}:${scopes[wanted.action]}"`;
  const header = origin === undefined ? basicChallenge : `Bearer realm="${origin}/token",service="${service}"${scope}`;
  const message = "log in to this registry, or ask its token endpoint for an anonymous token";
  return errorReply(401, "UNAUTHORIZED", message, {
    "WWW-Authenticate": header,
    "Docker-Distribution-Api-Version": "registry/2.0",
  });
}

/** The token endpoint: Basic gives a user's token, nothing gives an anonymous one, a wrong password gives none. */
export async function tokenReply(access: Access, authorization: string | null): Promise<Response> {
  const identity = authorization === null ? anonymous : await identify(access, authorization);
  if (identity === undefined) {
    return errorReply(401, "UNAUTHORIZED", "the user or the password is wrong", {
      "WWW-Authenticate": basicChallenge,
    });
  }
  const token = access.signer.sign(identity, tokenMs);
  const body = { token, access_token: token, expires_in: tokenMs / 1000, issued_at: new Date().toISOString() };
  return Response.json(body, { headers: { "Cache-Control": "no-store" } });
}

const anonymous: Identity = { kind: "anonymous" };
