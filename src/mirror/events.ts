import type { RegistryHost } from "../reference/host.ts";

/** What happens behind the answers, for logs and metrics. Implementations must not throw. */
export interface MirrorEvents {
  /** Bytes that were not those of the digest. */
  wrongBytes(upstream: RegistryHost, message: string): void;
  /** A blob was served and not kept, or a row not written. */
  notKept(message: string): void;
  /** A download that its upstream broke off for good: the connections of those who waited for it were broken too. */
  brokenOff(upstream: RegistryHost, message: string): void;
  evicted(count: number, sizeBytes: number): void;
  fillStarted(upstream: RegistryHost): void;
  fillEnded(upstream: RegistryHost, receivedBytes: number): void;
}
