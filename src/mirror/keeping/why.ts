import { type Digest, parseDigest } from "../../reference/digest.ts";
import type { RegistryHost } from "../../reference/host.ts";
import { describeMatch, type Rule, type RuleOrigin } from "../../rules/rule.ts";
import type { Events } from "./events.ts";
import { type Image, refused, type Refused, resolveImage } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { contentState, type ContentState } from "./why-content.ts";
import { imageState, type ImageState } from "./why-image.ts";
import { tagState, type TagState } from "./why-tag.ts";

/** The rule that pulls of a name go by, and how full its quota is. */
export interface RuleState {
  readonly id: string;
  /** Where it is written. */
  readonly origin: RuleOrigin;
  readonly match: string;
  readonly serve: Rule["serve"];
  readonly freshForMs: number;
  readonly serveStaleForMs: number;
  readonly maxSizeBytes: number | undefined;
  readonly heldBytes: number;
}

/** Everything that is known of one name: by what it is served, what is held of it, and until when. */
export interface WhyRow {
  readonly reference: string;
  readonly name: string;
  readonly upstream: RegistryHost | undefined;
  /** Where the upstream is reached. */
  readonly url: string | undefined;
  readonly rule: RuleState | undefined;
  /** Why no rule keeps it. */
  readonly unserved: string | undefined;
  readonly tag: TagState | undefined;
  readonly content: ContentState | undefined;
  readonly image: ImageState | undefined;
}

/** How many names something is held of. */
export interface WhyTotals {
  readonly held: number;
  readonly absent: number;
  readonly failed: number;
}

/** Explains names: nothing is asked of an upstream and nothing is changed. */
export async function* why(
  keeping: Keeping,
  references: readonly string[],
  signal: AbortSignal,
): Events<WhyRow, WhyTotals> {
  const totals = { held: 0, absent: 0, failed: 0 };
  // So that the times of the last pulls are those that are shown.
  await keeping.quota.flushPulls();
  for (const reference of references) {
    if (signal.aborted) return;
    const digest = parseDigest(reference);
    const answer = digest === undefined ? await whyImage(keeping, reference) : await whyDigest(keeping, digest);
    if ("kind" in answer) totals.failed++;
    else if (answer.content === undefined && answer.tag === undefined) totals.absent++;
    else totals.held++;
    yield { kind: "result", ...("kind" in answer ? failedRow(reference, answer) : answer) };
  }
  yield { kind: "summary", outcome: totals.failed > 0 ? "failed" : "clean", ...totals };
}

async function whyDigest(keeping: Keeping, digest: Digest): Promise<WhyRow | Refused> {
  const content = await contentState(keeping, undefined, digest);
  if (content === undefined)
    return refused("no such content is held; a digest alone does not say where to look for it");
  return { ...nothing, reference: digest, name: digest, content };
}

async function whyImage(keeping: Keeping, reference: string): Promise<WhyRow | Refused> {
  const image = resolveImage(keeping.registries, reference);
  if (image.kind === "refused") return image;
  if (!("kind" in image.rule) && image.rule.serve === "store") return whyOwn(keeping, reference, image);
  const { place, name } = image;
  const tag = image.digest === undefined ? await tagState(keeping, image) : undefined;
  const digest = image.digest ?? tag?.digest;
  return {
    ...nothing,
    ...(await served(keeping, image)),
    reference,
    name,
    upstream: place.upstream,
    url: keeping.urlOf(place.upstream),
    tag,
    content: digest && (await contentState(keeping, place, digest)),
    image: digest && (await imageState(keeping, place, digest)),
  };
}

async function whyOwn(keeping: Keeping, reference: string, image: Image): Promise<WhyRow> {
  const { place, name, tag } = image;
  const tagged = tag === undefined ? undefined : await keeping.hosted.tagged(place.repository, tag);
  const digest = image.digest ?? tagged?.digest;
  const { rule } = await served(keeping, image);
  return { ...nothing, reference, name, rule, content: digest && (await contentState(keeping, undefined, digest)) };
}

async function served(keeping: Keeping, { rule, name }: Image): Promise<Pick<WhyRow, "rule" | "unserved">> {
  if ("kind" in rule) return { rule: undefined, unserved: rule.reason };
  const { id, origin, match, serve, freshForMs, serveStaleForMs, maxSizeBytes } = rule;
  const heldBytes = await keeping.quota.heldBytes(id);
  const limits = { freshForMs, serveStaleForMs, maxSizeBytes, heldBytes };
  const unserved =
    serve !== "redirect" ? undefined : `rule ${id} redirects pulls of ${name}: nothing new of it is kept`;
  return { rule: { id, origin, match: describeMatch(match), serve, ...limits }, unserved };
}

const nothing: Omit<WhyRow, "reference" | "name"> = {
  upstream: undefined,
  url: undefined,
  rule: undefined,
  unserved: undefined,
  tag: undefined,
  content: undefined,
  image: undefined,
};

function failedRow(reference: string, { reason }: Refused): WhyRow {
  return { ...nothing, reference, name: reference, unserved: reason };
}
