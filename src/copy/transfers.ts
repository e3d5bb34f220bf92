import type { Descriptor } from "../manifest/manifest.ts";
import type { Repository } from "../reference/repository.ts";
import { Gate, type Place } from "../registry/gate.ts";
import type { Answer, BlobStream } from "../registry/remote.ts";
import type { PushedBlob } from "../registry/writable.ts";
import { type Asking, stopped } from "./asking.ts";
import type { ImageSource, ImageTarget } from "./ends.ts";
import { type CopyFailure, failureOf } from "./failure.ts";
import { type Bringing, PlacedBlobs } from "./placed-blobs.ts";
import { Stagger } from "./stagger.ts";

/** A blob, where it is, where it is to be, and who watches. */
export interface Transfer {
  readonly source: ImageSource;
  readonly target: ImageTarget;
  readonly blob: Descriptor;
  readonly onSent: (sizeBytes: number) => void;
}

/** What became of a blob. */
export type Transferred =
  | { readonly kind: "there" }
  | { readonly kind: "mounted" }
  | { readonly kind: "sent"; readonly sizeBytes: number }
  | { readonly kind: "failed"; readonly failure: CopyFailure };

const mountsMax = 3;
/** Blobs from here on are read and hashed, piece by piece, and half as many at once keep memory within bounds and are no slower. */
const largeBytes = 64 * 1024 * 1024;

/** Brings blobs to their targets: each once for each registry, a number at once, nothing that is there. */
export class Transfers {
  readonly #asking: Asking;
  readonly #placed = new PlacedBlobs();
  readonly #gate: Gate;
  readonly #largeGate: Gate;
  readonly #stagger: Stagger;

  constructor(asking: Asking, atOnce: number) {
    this.#asking = asking;
    this.#gate = new Gate(atOnce);
    this.#largeGate = new Gate(Math.ceil(atOnce / 2));
    this.#stagger = new Stagger(asking.clock);
  }

  /** Makes sure that a blob is at its target. */
  async bring(transfer: Transfer): Promise<Transferred> {
    const { target, blob } = transfer;
    const work = (mountFrom: readonly Repository[]): Promise<Bringing<Transferred>> => this.#bring(transfer, mountFrom);
    return (await this.#placed.bring(target, blob.digest, work)) ?? { kind: "there" };
  }

  async #bring(transfer: Transfer, mountFrom: readonly Repository[]): Promise<Bringing<Transferred>> {
    const { target, blob } = transfer;
    const head = await this.#asking.ask(target, (limits) => target.headBlob(blob.digest, limits));
    if (head.kind === "found") return { isThere: true, outcome: { kind: "there" } };
    const turn = await this.#turn(blob);
    if (turn === undefined) return { isThere: false, outcome: outcomeOf(transfer, stopped(target), "target") };
    try {
      const mounts = [...siblingOf(transfer), ...mountFrom].slice(0, mountsMax);
      if (mounts.length === 0) await this.#stagger.start(blob.sizeBytes, this.#asking.signal);
      const outcome = await this.#push(transfer, mounts);
      return { isThere: outcome.kind !== "failed", outcome };
    } finally {
      turn.release();
    }
  }

  /** A large one waits for its turn among the large ones first, so that it never keeps a place while it waits. */
  async #turn({ sizeBytes }: Descriptor): Promise<Place | undefined> {
    const { signal } = this.#asking;
    if (sizeBytes <= largeBytes) return await this.#gate.enter(signal);
    const large = await this.#largeGate.enter(signal);
    const place = large && (await this.#gate.enter(signal));
    const release = (): void => {
      place?.release();
      large?.release();
    };
    if (place !== undefined) return { release };
    release();
    return undefined;
  }

  async #push(transfer: Transfer, mountFrom: readonly Repository[]): Promise<Transferred> {
    const { target, blob, onSent } = transfer;
    const opening = new Opening(this.#asking, transfer);
    const { digest, sizeBytes } = blob;
    const open = (startByte: number): Promise<Answer<BlobStream>> => opening.open(startByte);
    const limits = this.#asking.limits(target);
    const pushed = await target.pushBlob({ digest, sizeBytes, mountFrom, open, onSent }, limits);
    return outcomeOf(transfer, pushed, opening.hasFailed ? "source" : "target");
  }
}

/** The source's side of a transfer: whether it gave the bytes when it was last asked for them. */
class Opening {
  readonly #asking: Asking;
  readonly #transfer: Transfer;
  hasFailed = false;

  constructor(asking: Asking, transfer: Transfer) {
    this.#asking = asking;
    this.#transfer = transfer;
  }

  async open(startByte: number): Promise<Answer<BlobStream>> {
    const { source, blob } = this.#transfer;
    const range = { startByte, endByte: undefined };
    const answer = await source.getBlob(blob.digest, range, this.#asking.limits(source));
    this.hasFailed = answer.kind === "unavailable";
    return answer;
  }
}

/** The source's own repository, when it is at the same registry. */
function siblingOf({ source, target }: Transfer): readonly Repository[] {
  if (source.place === undefined || source.place.registry !== target.place?.registry) return [];
  return source.place.repository === target.place.repository ? [] : [source.place.repository];
}

function outcomeOf({ source, blob }: Transfer, pushed: PushedBlob, side: "source" | "target"): Transferred {
  switch (pushed.kind) {
    case "pushed":
      return { kind: "sent", sizeBytes: pushed.sentBytes };
    case "mounted":
      return { kind: "mounted" };
    case "absent": {
      const message = `${source.name} does not have ${blob.digest}, which a manifest of it names`;
      return { kind: "failed", failure: { kind: "missing", side: "source", message } };
    }
    case "unavailable":
      return { kind: "failed", failure: failureOf(pushed, side) };
  }
}
