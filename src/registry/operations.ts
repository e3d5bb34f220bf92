import type { Upstream } from "../config/settings.ts";
import type { Call } from "./call.ts";
import type { Clock } from "./clock.ts";

/** What each operation on a registry is made with. */
export interface Operations {
  readonly upstream: Upstream;
  readonly call: Call;
  readonly clock: Clock;
}
