import type { Probe } from "../probe.ts";

/** A HEAD that waits for its answer. */
interface PendingProbe {
  readonly url: string;
  readonly signal: AbortSignal;
  answer(status: number | undefined): Promise<void>;
}

/** A probe whose answers a test gives, and a record of what was asked. */
export interface ScriptedProbe {
  readonly probe: Probe;
  /** Every URL asked, in order. */
  readonly asked: readonly string[];
  /** The first of this URL that waits. Throws when there is none. */
  readonly pending: (url: string) => PendingProbe;
}

/**
 * Answers with the status that `statuses` has for a URL; what it has not waits until the test answers, or until its signal ends
 * it, as the network would.
 */
export function createScriptedProbe(statuses: Readonly<Record<string, number>> = {}): ScriptedProbe {
  const asked: string[] = [];
  const waiting = new Set<PendingProbe>();
  return {
    asked,
    probe: (_holder, url, signal) => {
      asked.push(url);
      const status = statuses[url];
      if (status !== undefined) return Promise.resolve(status);
      const { promise, resolve } = Promise.withResolvers<number | undefined>();
      const pending: PendingProbe = {
        url,
        signal,
        answer(given) {
          waiting.delete(pending);
          resolve(given);
          return settled();
        },
      };
      waiting.add(pending);
      signal.addEventListener("abort", () => void pending.answer(undefined));
      return promise;
    },
    pending(url) {
      const found = [...waiting].find((pending) => pending.url === url);
      if (found === undefined) throw new Error(`${url} is not being asked`);
      return found;
    },
  };
}

/** Resolves when everything that waits only for promises has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
