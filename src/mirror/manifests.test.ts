import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { Answer, ManifestBody, ManifestHead, Page, Unavailable } from "../registry/remote.ts";
import type { Rule } from "../rules/rule.ts";
import type { ContentIndex } from "../store/content-index.ts";
import { openSqliteIndexes } from "../store/sqlite/sqlite-index.ts";
import { ManifestMirror } from "./manifests.ts";
import { PageMirror } from "./pages.ts";
import type { FoundManifestHead, ManifestOutcome, Pull } from "./pull.ts";
import { digestOf, down, FakeRegistry, type Latch, latch } from "./testing/fake-registry.ts";

const freshForMs = 1000;
const serveStaleForMs = 5000;
const tag = "v1" as Tag;
const rule: Rule = {
  id: "r",
  origin: { kind: "default" },
  match: { kind: "rest" },
  upstream: undefined,
  serve: "cache",
  freshForMs,
  serveStaleForMs,
  maxSizeBytes: undefined,
};

let folder: string;
let index: ContentIndex;
let registry: FakeRegistry;
let manifests: ManifestMirror;
let pages: PageMirror;
let pull: Pull;
let nowMs: number;
/** Opened by a test to say that the time box is over, and that a client has waited long enough. */
let box: Latch;
let patience: Latch;

beforeEach(() => {
  nowMs = 1_000_000_000;
  box = latch();
  patience = latch();
  folder = mkdtempSync(join(tmpdir(), "periplus-manifests-"));
  index = openSqliteIndexes(join(folder, "index.db")).content;
  registry = new FakeRegistry();
  pull = { place: { upstream: registry.host, repository: "a/b" as Repository }, rule };
  const parts = {
    index,
    registryOf: () => registry,
    nowMs: () => nowMs,
    after: (ms: number) => (ms === 1000 ? box : patience).opened.then(() => undefined),
  };
  manifests = new ManifestMirror(parts);
  pages = new PageMirror({ ...parts, manifests });
});
afterEach(async () => {
  await index.close();
  rmSync(folder, { recursive: true });
});

function manifest(text: string): Answer<ManifestBody> & { readonly digest: Digest } {
  const bytes = new TextEncoder().encode(text);
  return { kind: "found", bytes, digest: digestOf(bytes), mediaType: "application/vnd.oci.image.manifest.v1+json" };
}

const one = manifest("one");
const two = manifest("two");

function script(reference: string, ...answers: readonly Answer<ManifestBody>[]): void {
  registry.manifests.set(
    `a/b ${reference}`,
    answers.map((answer) => async () => answer),
  );
}

function scriptHead(
  reference: string,
  ...answers: readonly (Answer<ManifestHead> | Promise<Answer<ManifestHead>>)[]
): void {
  registry.heads.set(
    `a/b ${reference}`,
    answers.map((answer) => async () => answer),
  );
}

function head(digest: Digest | undefined): Answer<ManifestHead> {
  return { kind: "found", digest, mediaType: "x/y", sizeBytes: 3 };
}

function shown(outcome: ManifestOutcome | FoundManifestHead): string {
  if (outcome.kind === "head") return `head ${outcome.digest.slice(7, 11)}`;
  if (outcome.kind !== "found") return outcome.kind;
  const text = new TextDecoder().decode(outcome.row.bytes);
  return `${text} ${outcome.origin}${outcome.warning === undefined ? "" : " warned"}`;
}

async function hold(): Promise<void> {
  script(tag, one);
  expect(shown(await manifests.byTag(pull, tag))).toBe("one miss");
}

test("a fresh tag is served without asking", async () => {
  await hold();
  nowMs += freshForMs - 1;
  expect(shown(await manifests.byTag(pull, tag))).toBe("one hit");
  expect(registry.asked.length).toBe(1);
});

const noInformation: readonly Unavailable[] = [
  down("denied", 403),
  down("failed", 408),
  down("rate-limited", 429),
  down("failed", 500),
  down("failed", 503),
  down("timeout"),
  down("unreachable"),
  down("breaker-open"),
  down("refused"),
];

test.each(noInformation.map((answer) => [`${answer.reason} ${answer.status ?? ""}`, answer] as const))(
  "%s is no knowledge: what is held goes out with a warning, no GET follows, and only until the stale window ends",
  async (_, answer) => {
    await hold();
    scriptHead(tag, answer);
    nowMs += freshForMs;
    const stale = await manifests.byTag(pull, tag);
    expect(shown(stale)).toBe("one stale warned");
    expect(stale.kind === "found" && stale.ageMs).toBe(freshForMs);
    nowMs += serveStaleForMs - 1;
    expect(shown(await manifests.byTag(pull, tag))).toBe("one stale warned");
    nowMs += 1;
    expect(shown(await manifests.byTag(pull, tag))).toBe("unavailable");
    expect(registry.count("GET manifest")).toBe(1);
  },
);

test("the same digest makes it fresh again without a GET", async () => {
  await hold();
  scriptHead(tag, head(one.digest));
  nowMs += freshForMs;
  expect(shown(await manifests.byTag(pull, tag))).toBe("one revalidated");
  nowMs += freshForMs - 1;
  expect(shown(await manifests.byTag(pull, tag))).toBe("one hit");
  expect(registry.asked.map(([method]) => method)).toEqual(["GET manifest", "HEAD manifest"]);
});

test("another digest is fetched by digest and becomes the tag", async () => {
  await hold();
  scriptHead(tag, head(two.digest));
  script(two.digest, two);
  nowMs += freshForMs;
  expect(shown(await manifests.byTag(pull, tag))).toBe("two miss");
  expect(shown(await manifests.byTag(pull, tag))).toBe("two hit");
});

test("a tag whose new manifest cannot be had stays what it was", async () => {
  await hold();
  scriptHead(tag, head(two.digest));
  script(two.digest, down("failed", 500));
  nowMs += freshForMs;
  expect(shown(await manifests.byTag(pull, tag))).toBe("one stale warned");
  script(two.digest, { kind: "absent" });
  expect(shown(await manifests.byTag(pull, tag))).toBe("one stale warned");
});

test("a HEAD without a digest is followed by a GET", async () => {
  await hold();
  scriptHead(tag, head(undefined));
  script(tag, two);
  nowMs += freshForMs;
  expect(shown(await manifests.byTag(pull, tag))).toBe("two miss");
});

test("404 is knowledge: the tag is gone, and is not asked for again for a minute", async () => {
  await hold();
  scriptHead(tag, { kind: "absent" });
  nowMs += freshForMs;
  expect(shown(await manifests.byTag(pull, tag))).toBe("absent");
  expect(shown(await manifests.byTag(pull, tag))).toBe("absent");
  expect(registry.asked.length).toBe(2);
  nowMs += 60_001;
  expect(shown(await manifests.byTag(pull, tag))).toBe("one miss");
});

test("what a HEAD learns to be absent is not asked for again for a minute", async () => {
  expect(shown(await manifests.headByTag(pull, tag))).toBe("absent");
  expect(shown(await manifests.headByTag(pull, tag))).toBe("absent");
  expect(shown(await manifests.byTag(pull, tag))).toBe("absent");
  expect(registry.asked.length).toBe(1);
});

test("a check that takes longer than its box goes on behind, and serves the next", async () => {
  await hold();
  const slow = Promise.withResolvers<Answer<ManifestHead>>();
  scriptHead(tag, slow.promise);
  script(two.digest, two);
  nowMs += freshForMs;
  const first = manifests.byTag(pull, tag);
  const second = manifests.byTag(pull, tag);
  box.open();
  expect([shown(await first), shown(await second)]).toEqual(["one stale warned", "one stale warned"]);
  expect(registry.count("HEAD manifest")).toBe(1);
  slow.resolve(head(two.digest));
  const after = async (): Promise<string> => {
    const row = await index.tag(pull.place, tag);
    if (row?.digest === two.digest) return shown(await manifests.byTag(pull, tag));
    // The index answers at once and its writer in a turn of its own: a poll that never ends its turn would wait for ever.
    await new Promise((resolve) => setImmediate(resolve));
    return after();
  };
  expect(await after()).toBe("two hit");
});

/** A pull past the stale window, whose check has its answer when the test gives it. */
async function pullPastStale(): Promise<{
  readonly outcome: Promise<ManifestOutcome>;
  readonly check: (answer: Answer<ManifestHead>) => void;
}> {
  await hold();
  const slow = Promise.withResolvers<Answer<ManifestHead>>();
  scriptHead(tag, slow.promise);
  nowMs += freshForMs + serveStaleForMs;
  const outcome = manifests.byTag(pull, tag);
  box.open();
  return { outcome, check: slow.resolve };
}

test("past the stale window a slow check is waited for", async () => {
  const { outcome, check } = await pullPastStale();
  check(head(one.digest));
  expect(shown(await outcome)).toBe("one revalidated");
});

test("past the stale window a check that takes too long is no answer, goes on behind, and serves the next", async () => {
  const { outcome, check } = await pullPastStale();
  patience.open();
  expect(await outcome).toMatchObject({
    kind: "unavailable",
    reason: "timeout",
    message: expect.stringContaining("5 s"),
  });
  patience = latch();
  const next = manifests.byTag(pull, tag);
  check(head(one.digest));
  expect(shown(await next)).toBe("one revalidated");
  expect(registry.count("HEAD manifest")).toBe(1);
});

test("a second question has what the first one left of the client's time", async () => {
  const never = new Promise<Answer<ManifestBody>>(() => {});
  scriptHead(tag, head(undefined));
  registry.manifests.set(`a/b ${tag}`, [() => never]);
  registry.manifests.set(`a/b ${one.digest.replace(":", "-")}`, [() => never]);
  const outcomes = [manifests.headByTag(pull, tag), pages.referrers(pull, one.digest, "")];
  patience.open();
  for (const outcome of await Promise.all(outcomes)) {
    expect(outcome).toMatchObject({ kind: "unavailable", reason: "timeout" });
  }
});

test("one fetch serves all who ask for what is cold", async () => {
  script(tag, one);
  const all = await Promise.all(Array.from({ length: 50 }, () => manifests.byTag(pull, tag)));
  expect(all.map(shown)).toEqual(Array.from({ length: 50 }, () => "one miss"));
  expect(registry.count("GET manifest")).toBe(1);
});

test("HEAD of a cold tag asks by HEAD; with the manifest pulled by digest the tag is served when the upstream is gone", async () => {
  scriptHead(tag, head(one.digest), down());
  script(one.digest, one);
  expect(shown(await manifests.headByTag(pull, tag))).toBe(`head ${one.digest.slice(7, 11)}`);
  expect(registry.count("GET manifest")).toBe(0);
  expect(shown(await manifests.byDigest(pull, one.digest))).toBe("one miss");
  nowMs += freshForMs;
  expect(shown(await manifests.byTag(pull, tag))).toBe("one stale warned");
});

test("a digest never expires, and is served only where its upstream has it", async () => {
  script(one.digest, one);
  await manifests.byDigest(pull, one.digest);
  nowMs += 10 * 365 * 86_400_000;
  expect(shown(await manifests.byDigest(pull, one.digest))).toBe("one hit");
  const other: Pull = { ...pull, place: { ...pull.place, repository: "c" as Repository } };
  expect(shown(await manifests.byDigest(other, one.digest))).toBe("absent");
  registry.heads.set(`d ${one.digest}`, [async () => head(one.digest)]);
  const third: Pull = { ...pull, place: { ...pull.place, repository: "d" as Repository } };
  expect(shown(await manifests.byDigest(third, one.digest))).toBe("one hit");
});

test("not held and no information is said so, never absent", async () => {
  script(tag, down("failed", 500));
  scriptHead(tag, down("failed", 500));
  expect(shown(await manifests.byTag(pull, tag))).toBe("unavailable");
  expect(shown(await manifests.headByTag(pull, tag))).toBe("unavailable");
  expect(shown(await manifests.byDigest(pull, one.digest))).toBe("absent");
});

test("refresh asks whatever the age", async () => {
  await hold();
  scriptHead(tag, head(two.digest));
  script(two.digest, two);
  expect(shown(await manifests.refresh(pull, tag))).toBe("two miss");
});

test("refresh asks although the tag was absent a moment ago", async () => {
  expect(shown(await manifests.byTag(pull, tag))).toBe("absent");
  script(tag, one);
  expect(shown(await manifests.byTag(pull, tag))).toBe("absent");
  expect(shown(await manifests.refresh(pull, tag))).toBe("one miss");
});

function page(text: string): Answer<Page> {
  return {
    kind: "found",
    bytes: new TextEncoder().encode(text),
    mediaType: "application/json",
    nextQuery: "last=x",
    filtersApplied: undefined,
  };
}

test("lists come from the upstream, and from what is held when it gives no word", async () => {
  registry.pages.set("a/b n=2", [
    async () => page("first"),
    async () => page("second"),
    async () => down(),
    async () => ({ kind: "absent" }),
  ]);
  const text = async (): Promise<string> => {
    const outcome = await pages.tags(pull, "n=2");
    return outcome.kind === "found"
      ? `${new TextDecoder().decode(outcome.page.bytes)} ${outcome.origin} ${outcome.page.nextQuery}`
      : outcome.kind;
  };
  expect(await text()).toBe("first miss last=x");
  expect(await text()).toBe("second miss last=x");
  expect(await text()).toBe("second stale last=x");
  expect(await text()).toBe("absent");
});

test("a list is served stale as long as a tag would be, and no longer", async () => {
  registry.pages.set("a/b n=2", [async () => page("first"), async () => down()]);
  const kind = async (): Promise<string> => {
    const outcome = await pages.tags(pull, "n=2");
    return outcome.kind === "found" ? outcome.origin : outcome.kind;
  };
  expect(await kind()).toBe("miss");
  nowMs += freshForMs + serveStaleForMs - 1;
  expect(await kind()).toBe("stale");
  nowMs += 1;
  expect(await kind()).toBe("unavailable");
});

test("referrers come by the tag scheme where the upstream has no API for them", async () => {
  const listing = manifest(`{"schemaVersion":2,"manifests":[]}`);
  const bytesOf = async (): Promise<string> => {
    const outcome = await pages.referrers(pull, one.digest, "");
    return outcome.kind === "found"
      ? `${outcome.page.mediaType} ${new TextDecoder().decode(outcome.page.bytes)}`
      : outcome.kind;
  };
  expect(await bytesOf()).toContain('"manifests":[]');
  nowMs += 61_000;
  script(one.digest.replace(":", "-"), listing);
  expect(await bytesOf()).toBe(`application/vnd.oci.image.index.v1+json {"schemaVersion":2,"manifests":[]}`);
});
