/** Whether a holder has a piece of content. "unknown": it gave no information, or was not asked. */
export type Presence = "held" | "absent" | "unknown";

/** Why a holder was not asked: it fails, too many probes are under way, or this client has caused too many. */
export type SkipReason = "breaker" | "busy" | "client";

/** What happens behind the redirects, for metrics and logs. `holder` is its name. Implementations must not throw. */
export interface SteerEvents {
  probed(holder: string, presence: Presence, durationMs: number): void;
  skipped(holder: string, reason: SkipReason): void;
  /** The holder failed so often that it is left alone for a while, or answers again. */
  breaker(holder: string, state: "open" | "closed"): void;
}
