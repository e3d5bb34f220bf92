import { timingSafeEqual } from "node:crypto";

/** Who asks: a user, or nobody in particular. */
export type Identity = { readonly kind: "anonymous" } | { readonly kind: "user"; readonly name: string };

/**
 * Signs and reads our own bearer tokens. They are opaque to clients, say only who asked and until when, and are good
 * for the process that signed them: after a restart clients are challenged again.
 */
export class TokenSigner {
  readonly #key: Uint8Array;
  readonly #nowMs: () => number;

  constructor(key: Uint8Array, nowMs: () => number) {
    this.#key = key;
    this.#nowMs = nowMs;
  }

  sign(identity: Identity, forMs: number): string {
    const name = identity.kind === "user" ? Buffer.from(identity.name).toString("base64url") : "";
    const body = `${Math.floor(this.#nowMs() + forMs)}.${name}`;
    return `${body}.${this.#mac(body)}`;
  }

  /** The identity a token was signed for; `undefined` when it is not ours or is over. */
  read(token: string): Identity | undefined {
    const [until = "", name = "", mac = "", more] = token.length > 1024 ? [] : token.split(".");
    if (more !== undefined || !same(mac, this.#mac(`${until}.${name}`))) return undefined;
    if (Number(until) <= this.#nowMs()) return undefined;
    return name === "" ? { kind: "anonymous" } : { kind: "user", name: Buffer.from(name, "base64url").toString() };
  }

  #mac(body: string): string {
    return new Bun.CryptoHasher("sha256", this.#key).update(body).digest("base64url");
  }
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
