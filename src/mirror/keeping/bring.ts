import type { Descriptor } from "../../manifest/manifest.ts";
import type { Fill } from "../fill.ts";
import type { Pull } from "../pull.ts";
import type { Keeping } from "./keeping.ts";

/** What became of a blob that was to be held. */
export type Brought =
  | { readonly kind: "held" }
  | { readonly kind: "fetched"; readonly receivedBytes: number }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly reason: string };

/** How a blob is brought: until when, and who watches its download. */
export interface Bringing {
  readonly signal: AbortSignal;
  readonly onFill: (fill: Fill) => void;
}

/** Makes sure that a blob is held, by joining a download or by beginning one, and waits until it is in its place. */
export async function bringBlob(
  keeping: Keeping,
  pull: Pull,
  descriptor: Descriptor,
  { signal, onFill }: Bringing,
): Promise<Brought> {
  const { digest } = descriptor;
  const refusal = await refuseWithoutRoom(keeping, pull, descriptor);
  if (refusal !== undefined) return refusal;
  const opened = await keeping.blobs.open(pull, digest);
  switch (opened.kind) {
    case "held":
      return { kind: "held" };
    case "absent":
      return { kind: "absent" };
    case "unavailable":
      return { kind: "failed", reason: opened.message };
    case "filling":
      onFill(opened.fill);
      return arrived(opened.fill, opened.origin === "miss", signal);
  }
}

/** A blob that cannot stay is not begun: nobody waits here for its bytes. */
async function refuseWithoutRoom(
  { index, blobs, quota }: Keeping,
  { rule }: Pull,
  { digest, sizeBytes }: Descriptor,
): Promise<Brought | undefined> {
  if (blobs.isFilling(digest) || (await index.blob(digest)) !== undefined) return undefined;
  if (await quota.makeRoomFor(rule.id, sizeBytes, rule.maxSizeBytes)) return undefined;
  const reason = `${digest} (${sizeBytes} bytes) does not fit into the maxSize of rule ${rule.id} beside what is fresh`;
  return { kind: "failed", reason };
}

async function arrived(fill: Fill, isOurs: boolean, signal: AbortSignal): Promise<Brought> {
  if (!fill.isKept) {
    fill.abandon();
    return { kind: "failed", reason: `${fill.digest} cannot be kept: the disk does not take it` };
  }
  const end = await Promise.race([fill.ended, untilAborted(signal)]);
  switch (end?.kind) {
    case "kept":
      return { kind: "fetched", receivedBytes: isOurs ? fill.headBytes : 0 };
    case "not-kept":
      return { kind: "failed", reason: `${fill.digest} came and was not kept: ${end.reason}` };
    case "failed":
      return { kind: "failed", reason: end.failure.message };
    case undefined:
      return { kind: "failed", reason: "stopped before it was there" };
  }
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
