import { endedBy } from "../registry/deadline.ts";
import { Gate } from "../registry/gate.ts";
import type { Absent, Unavailable } from "../registry/remote.ts";
import type { Cut, Part, Parts } from "./parts.ts";

/** A part and its number, from 1. */
export interface NumberedPart extends Part {
  readonly number: number;
}

/** A part that the store has. */
export interface SentPart {
  readonly kind: "sent";
  readonly etag: string;
  readonly crc32: string;
}

/** What parts are sent with. */
export interface PartsToSend {
  readonly parts: Parts;
  readonly cut: Cut;
  readonly signal: AbortSignal;
  send(part: NumberedPart, signal: AbortSignal): Promise<SentPart | Unavailable>;
}

/** All parts in order, or the first answer that kept one from being sent. */
export type SentParts = { readonly kind: "all"; readonly parts: readonly SentPart[] } | Absent | Unavailable;

/**
 * Sends parts, several at once: each sender reads its next part when it is its turn, into memory of its own, and sends it while others
 * read. The first that fails ends all; nothing is under way any more when this returns.
 */
export async function sendParts(toSend: PartsToSend): Promise<SentParts> {
  const { cut, parts } = toSend;
  const ended = new AbortController();
  const signal = AbortSignal.any([toSend.signal, ended.signal]);
  const turn = new Gate(1);
  const sent: SentPart[] = [];
  let fault: Absent | Unavailable | undefined;
  let nextNumber = 1;

  function fail(answer: Absent | Unavailable): void {
    fault ??= answer;
    ended.abort();
  }
  async function read(memory: Uint8Array<ArrayBuffer>): Promise<NumberedPart | undefined> {
    const place = await turn.enter(signal);
    try {
      if (place === undefined || signal.aborted || nextNumber > cut.parts) return undefined;
      const number = nextNumber++;
      const part = await parts.next(memory);
      if (part.kind === "part") return { ...part, number };
      fail(part);
      return undefined;
    } finally {
      place?.release();
    }
  }
  async function sender(): Promise<void> {
    const memory = new Uint8Array(parts.memoryBytes(cut.partBytes));
    for (let part = await read(memory); part !== undefined; part = await read(memory)) {
      const answer = await toSend.send(part, signal);
      if (answer.kind === "sent") sent[part.number - 1] = answer;
      else fail(answer);
    }
  }

  await Promise.all(Array.from({ length: cut.atOnce }, sender));
  if (fault === undefined && toSend.signal.aborted) fault = endedBy(toSend.signal);
  return fault ?? { kind: "all", parts: sent };
}
