import type { Upstream } from "../../config/settings.ts";
import { createWritableRegistry } from "../client.ts";
import type { Credential } from "../../config/credential.ts";
import type { CallLimits } from "../remote.ts";
import type { Fetch } from "../transport.ts";
import type { WritableRegistry } from "../writable.ts";
import { testAuthority } from "./certificates.ts";
import { testEgress } from "./egress.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";
import type { ScriptedUpstream } from "./scripted-upstream.ts";
import { upstreamAt } from "./upstream.ts";

/** What a test's client is different in. */
export interface TestClientOptions {
  readonly upstream?: Partial<Upstream>;
  readonly credential?: Credential;
  /** Names that count as public, and the scripted upstreams that answer for them. */
  readonly names?: Readonly<Record<string, ScriptedUpstream>>;
}

/** A client whose time stands still until the test moves it, and whose pauses before a retry are none. */
export interface TestClient {
  readonly registry: WritableRegistry;
  readonly clock: ManualClock;
  readonly limits: CallLimits;
}

/** A client of what is at a URL. Certificates of the tests' own authority are believed everywhere. */
export function clientOf(url: string, options: TestClientOptions = {}): TestClient {
  const clock = createManualClock();
  const ports = Object.entries(options.names ?? {}).map(
    ([name, { url }]) => [name, Number(new URL(url).port)] as const,
  );
  const registry = createWritableRegistry({
    upstream: upstreamAt(url, options.upstream),
    credentials: () => Promise.resolve(options.credential),
    fetch: believing,
    egress: testEgress(Object.fromEntries(ports)),
    clock,
    random: () => 0,
    userAgent: "periplus/test",
  });
  return { registry, clock, limits: { signal: new AbortController().signal, timeoutMs: 5000 } };
}

const believing: Fetch = (url, init) => fetch(url, { ...init, tls: { ca: testAuthority, ...init.tls } });
