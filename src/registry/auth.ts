import { asFailure } from "../errors/failure.ts";
import { challengeOf, parseChallenges } from "./challenge.ts";
import type { Clock } from "./clock.ts";
import type { Credential, CredentialSource } from "../config/credential.ts";
import { within } from "./deadline.ts";
import type { Origins, Target } from "./origins.ts";
import type { Unavailable } from "./remote.ts";
import { TokenCache, type TokenGrant } from "./token-cache.ts";
import { basicAuthorization, requestToken } from "./token-request.ts";
import type { Exchange } from "./transport.ts";
import { unavailable } from "./unavailable.ts";

/** What goes into the `Authorization` header of one request. A fresh one that is not accepted is not renewed. */
export interface Authorization {
  readonly kind: "authorization";
  readonly header: string;
  readonly isFresh: boolean;
}

/** Something to send, nothing to send, or why there could be nothing. */
export type Authorized = Authorization | Unavailable | undefined;

/** What an authorizer is made from. */
export interface AuthorizerOptions {
  readonly origins: Origins;
  readonly credentials: CredentialSource;
  readonly exchange: Exchange;
  readonly clock: Clock;
}

/** A refusal to be answered: what was asked for, what it said, and what was sent with the request. */
export interface Refusal {
  readonly target: Target;
  readonly scope: string;
  readonly challenge: string | null;
  readonly used: Authorization | undefined;
  readonly signal: AbortSignal;
}

type Scheme =
  | { readonly kind: "basic"; readonly header: string }
  | { readonly kind: "bearer"; readonly realm: Target; readonly service: string | undefined };

/**
 * Proves this program to one upstream. What it wants is learnt from its first refusal and sent at once from then on. Credentials
 * are for its own origin and its own token service; a host that it redirects to is asked for anonymous tokens only.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens: TokenCache;
  #scheme: Scheme | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#tokens = new TokenCache(options.clock);
  }

  /** What to send without having been refused. */
  current(target: Target, scope: string, signal: AbortSignal): Authorized | Promise<Authorized> {
    if (!target.isOwn) return authorization(this.#tokens.held(foreignKey(target, scope)));
    if (this.#scheme?.kind === "basic") return { kind: "authorization", header: this.#scheme.header, isFresh: false };
    return this.#scheme === undefined ? undefined : this.#bearer(this.#scheme, scope, signal);
  }

  /** What to send instead after a 401; `undefined` when nothing else could be accepted. */
  async answer(refusal: Refusal): Promise<Authorized> {
    const challenges = parseChallenges(refusal.challenge ?? "");
    const bearer = challengeOf(challenges, "bearer")?.parameters;
    const realm = bearer?.get("realm");
    if (realm !== undefined) return await this.#answerBearer(refusal, realm, bearer?.get("service"));
    if (challengeOf(challenges, "basic") !== undefined && refusal.target.isOwn) return await this.#answerBasic(refusal);
    return undefined;
  }

  /** Keeps a token from being sent again that was not accepted. */
  forget(target: Target, scope: string, used: Authorization | undefined): void {
    if (used?.header.startsWith(bearerPrefix) !== true) return;
    this.#tokens.drop(target.isOwn ? scope : foreignKey(target, scope), used.header.slice(bearerPrefix.length));
  }

  async #answerBearer(refusal: Refusal, realm: string, service: string | undefined): Promise<Authorized> {
    const { target, scope, signal } = refusal;
    if (!target.isOwn) return await this.#answerForeign(refusal, realm, service);
    const place = this.#options.origins.realm(realm);
    if (place.kind === "unavailable") return place;
    this.forget(target, scope, refusal.used);
    const isKnown = this.#isKnown(place, service);
    if (isKnown && refusal.used?.isFresh === true) return undefined;
    this.#scheme = { kind: "bearer", realm: place, service };
    return await this.#bearer(this.#scheme, scope, signal);
  }

  async #answerForeign(refusal: Refusal, realm: string, service: string | undefined): Promise<Authorized> {
    const { target, scope, used, signal } = refusal;
    const place = this.#options.origins.foreignRealm(realm, target);
    if (place.kind === "unavailable") return place;
    const key = foreignKey(target, scope);
    this.forget(target, scope, used);
    if (used?.isFresh === true) return undefined;
    const ask = (signal: AbortSignal) =>
      requestToken(this.#options, { realm: place, service, scope, credential: undefined, signal });
    return authorization(await this.#tokens.get(key, ask, signal));
  }

  async #answerBasic({ used, signal }: Refusal): Promise<Authorized> {
    const credential = await within(signal, this.#credential());
    if (credential?.kind === "unavailable") return credential;
    if (credential?.kind !== "basic") return undefined;
    const header = basicAuthorization(credential);
    if (header === used?.header) return undefined;
    this.#scheme = { kind: "basic", header };
    return { kind: "authorization", header, isFresh: true };
  }

  async #bearer(scheme: Scheme & { readonly kind: "bearer" }, scope: string, signal: AbortSignal): Promise<Authorized> {
    const ask = async (signal: AbortSignal) => {
      const credential = await this.#credential();
      if (credential?.kind === "unavailable") return credential;
      const { realm, service } = scheme;
      return await requestToken(this.#options, { realm, service, scope, credential, signal });
    };
    return authorization(await this.#tokens.get(scope, ask, signal));
  }

  async #credential(): Promise<Credential | Unavailable | undefined> {
    try {
      return await this.#options.credentials();
    } catch (error) {
      return unavailable("denied", asFailure(error, "UPSTREAM_DENIED", "reading the credentials for it").message);
    }
  }

  #isKnown(realm: Target, service: string | undefined): boolean {
    const scheme = this.#scheme;
    return scheme?.kind === "bearer" && scheme.realm.url.href === realm.url.href && scheme.service === service;
  }
}

const bearerPrefix = "Bearer ";

/** No scope of ours begins with an origin, so tokens of other origins never meet the upstream's own. */
function foreignKey(target: Target, scope: string): string {
  return `${target.url.origin} ${scope}`;
}

function authorization(grant: TokenGrant | Unavailable | undefined): Authorized {
  if (grant?.kind !== "grant") return grant;
  return { kind: "authorization", header: bearerPrefix + grant.token, isFresh: grant.isFresh };
}
