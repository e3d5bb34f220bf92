import type { Load } from "./budget.ts";

/** One question to a registry, before it is known where the answer comes from. */
export interface RegistryRequest {
  /** What is asked, for messages: noun, name and registry. */
  readonly asked: string;
  readonly method: "GET" | "HEAD";
  /** Absolute path at the upstream. */
  readonly path: string;
  readonly query: string;
  /** The scope that a token for it needs. Distribution's token scope specification. */
  readonly scope: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly load: Load;
}
