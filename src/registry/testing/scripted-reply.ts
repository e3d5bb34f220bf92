import type { RecordedRequest } from "./http-wire.ts";

/** What the scripted upstream sends, truthfully unless told otherwise. */
export interface ScriptedReply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** How the body's end is announced: its true length by default; a number is sent as `Content-Length`, true or not. */
  readonly length?: number | "chunked" | "close";
  /** Held back until the promise settles: the whole reply, or the body from a byte on. */
  readonly hold?: { readonly at: "head" | number; readonly until: Promise<unknown> };
  /** The connection ends without an answer, or after this many bytes of the body: in good manners or by a reset. */
  readonly cut?: { readonly at: "head" | number; readonly by: "fin" | "rst" };
}

/**
 * How much of a request's body is taken, other than all: up to a byte, and then the connection ends, or nothing more is read, or the
 * answer is given. The request is recorded with what came of it.
 */
export type Intake =
  | { readonly kind: "answer"; readonly atBytes: number }
  | { readonly kind: "cut"; readonly atBytes: number; readonly by: "fin" | "rst" }
  | { readonly kind: "stall"; readonly atBytes: number };

/** How one route answers: always the same, one after the other (the last repeats), or as a function of request and count from 1. */
export type Script =
  | ScriptedReply
  | readonly [ScriptedReply, ...ScriptedReply[]]
  | ((request: RecordedRequest, nth: number) => ScriptedReply | Promise<ScriptedReply>);

/** A reply that never comes. */
export const hang: ScriptedReply = { hold: { at: "head", until: new Promise(() => {}) } };

/** The reply to the `nth` request of a route, from 1. */
export async function replyOf(script: Script, request: RecordedRequest, nth: number): Promise<ScriptedReply> {
  if (typeof script === "function") return await script(request, nth);
  if (!isSequence(script)) return script;
  return script[Math.min(nth, script.length) - 1] ?? script[0];
}

/** A promise and the function that settles it: what a test holds a reply back with. */
export interface Latch {
  readonly opened: Promise<void>;
  open(): void;
}

/** A closed latch. */
export function createLatch(): Latch {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

function isSequence(script: Script): script is readonly [ScriptedReply, ...ScriptedReply[]] {
  return Array.isArray(script);
}
