import type { Load } from "./budget.ts";
import type { Target } from "./origins.ts";

/** One question to a registry, before it is known where the answer comes from. */
export interface RegistryRequest {
  /** What is asked, for messages: noun, name and registry. */
  readonly asked: string;
  readonly method: "DELETE" | "GET" | "HEAD" | "PATCH" | "POST" | "PUT";
  /** Absolute path at the upstream. */
  readonly path: string;
  readonly query: string;
  /** The place that the registry itself named for it, in place of path and query. */
  readonly to?: Target;
  /** The scope that a token for it needs, or several with a space between them. Distribution's token scope specification. */
  readonly scope: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | FlowingBody;
  /** Never sent again once it may have been received: a second one would mean something else. */
  readonly isOnce?: boolean;
  readonly load: Load;
}

/** Makes the stream of a request's body; asked again when the request has to be. The request has its `Content-Length`. */
export type FlowingBody = (progress: Progress) => ReadableStream<Uint8Array<ArrayBuffer>>;

/** Told by a body of how it goes. A call's time stands still while its body flows; a body that nobody takes ends the call. */
export interface Progress {
  /** The body waits for its own bytes: the registry is not to blame. */
  waits(): void;
  /** Bytes were handed on. */
  moved(): void;
  /** All of it was handed on: from here the answer has the call's time. */
  ended(): void;
}

/** True of a method that changes nothing: its answers say what is held, and it may be sent to wherever a redirect leads. */
export function isRead(method: RegistryRequest["method"]): boolean {
  return method === "GET" || method === "HEAD";
}
