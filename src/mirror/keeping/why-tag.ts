import type { Digest } from "../../reference/digest.ts";
import type { Tag } from "../../reference/repository.ts";
import type { Image } from "./image.ts";
import type { Keeping } from "./keeping.ts";

/** What a tag is here. Times are milliseconds since the epoch. */
export interface TagState {
  readonly tag: Tag;
  readonly digest: Digest;
  /** False when a HEAD told its digest and its manifest was never pulled. */
  readonly isHeld: boolean;
  readonly checkedAtMs: number;
  /** Until then it is served without asking; absent where no rule serves it. */
  readonly freshUntilMs: number | undefined;
  /** Until then it is served while its upstream gives no word. */
  readonly staleUntilMs: number | undefined;
  /** `fresh`: served as it is. `due`: the next pull asks. `expired`: the next pull waits for the upstream's word. */
  readonly state: "fresh" | "due" | "expired" | "unserved";
}

/** The state of an image's tag, when there is one. */
export async function tagState({ index, nowMs }: Keeping, { place, tag, rule }: Image): Promise<TagState | undefined> {
  const row = tag && (await index.tag(place, tag));
  if (row === undefined) return undefined;
  const { digest, checkedAtMs } = row;
  const isHeld = (await index.manifestAt(place, digest)) !== undefined;
  const seen = { tag: row.tag, digest, isHeld, checkedAtMs };
  if ("kind" in rule) return { ...seen, freshUntilMs: undefined, staleUntilMs: undefined, state: "unserved" };
  const freshUntilMs = checkedAtMs + rule.freshForMs;
  const staleUntilMs = freshUntilMs + rule.serveStaleForMs;
  const now = nowMs();
  const state = now < freshUntilMs ? "fresh" : now < staleUntilMs ? "due" : "expired";
  return { ...seen, freshUntilMs, staleUntilMs, state };
}
