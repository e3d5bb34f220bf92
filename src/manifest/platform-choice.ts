import { formatPlatform, type Platform, satisfies } from "../reference/platform.ts";
import type { Descriptor, ManifestDocument } from "./manifest.ts";

/**
 * Which children of indexes are wanted: all when no platform is named; else those of a named platform and those that say
 * none. Attestations say `unknown/unknown` and so are only taken with all.
 */
export class PlatformChoice {
  readonly #wanted: readonly Platform[];
  readonly #offered = new Map<string, Platform>();

  constructor(wanted: readonly Platform[]) {
    this.#wanted = wanted;
  }

  get isAll(): boolean {
    return this.#wanted.length === 0;
  }

  wants({ platform }: Descriptor): boolean {
    if (this.isAll || platform === undefined) return true;
    return this.#wanted.some((wanted) => satisfies(platform, wanted));
  }

  /** Learns what an image offers from one of its documents. */
  note(document: ManifestDocument): void {
    if (document.kind !== "index") return;
    for (const { platform } of document.manifests) {
      if (platform !== undefined && platform.os !== "unknown") this.#offered.set(formatPlatform(platform), platform);
    }
  }

  /** The named platforms that an image which offers any does not have, as a sentence. */
  missing(): string | undefined {
    const offered = [...this.#offered.values()];
    const missing = this.#wanted.filter((wanted) => !offered.some((platform) => satisfies(platform, wanted)));
    if (offered.length === 0 || missing.length === 0) return undefined;
    return `it has no ${missing.map(formatPlatform).join(", ")}; it offers ${[...this.#offered.keys()].join(", ")}`;
  }
}
