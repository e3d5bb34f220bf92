import { createHash } from "node:crypto";
import type { Clock } from "../registry/clock.ts";
import type { Unavailable } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { BucketAddress } from "./address.ts";
import type { Call, Payload } from "./call.ts";

/** What each operation on a bucket is made with. */
export interface Operations {
  readonly address: BucketAddress;
  readonly call: Call;
  readonly clock: Clock;
  /** True where the kernel sends a file by itself: over plain HTTP, not through a proxy. */
  readonly sendsFiles: boolean;
}

/** A key that was checked, and how people name the object. */
export interface NamedKey {
  readonly kind: "key";
  readonly fullKey: string;
  readonly name: string;
}

/** The key in the bucket, or why there can be no such object. */
export function keyIn({ address }: Operations, key: string): NamedKey | Unavailable {
  const fullKey = address.fullKey(key);
  if (fullKey !== undefined) return { kind: "key", fullKey, name: `${address.name}/${key}` };
  return unavailable("refused", `what was asked for in ${address.name} has a key that cannot be one`);
}

/** A text as a body. */
export function textPayload(text: string): Payload {
  const body = new Blob([text]);
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { sizeBytes: body.size, sha256, open: () => body };
}
