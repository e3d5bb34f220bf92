import type { Upstream } from "../config/settings.ts";
import type { Call } from "./call.ts";
import type { Clock } from "./clock.ts";
import type { NativeTries } from "./native-tries.ts";
import type { Origins } from "./origins.ts";

/** What each operation on a registry is made with. */
export interface Operations {
  readonly upstream: Upstream;
  readonly call: Call;
  readonly clock: Clock;
  readonly origins: Origins;
  readonly nativeTries: NativeTries;
  /** Whether bodies may be taken as the runtime gives them: they are not begun to be read before they are asked for. */
  readonly givesNative: boolean;
  /** A number in [0, 1). */
  readonly random: () => number;
}
