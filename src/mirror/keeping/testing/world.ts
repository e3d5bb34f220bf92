import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryHost } from "../../../reference/host.ts";
import type { Repository } from "../../../reference/repository.ts";
import type { Rule } from "../../../rules/rule.ts";
import { buildRuleTable } from "../../../rules/table.ts";
import { openFileContent } from "../../../store/content.ts";
import { type Layout, layoutOf } from "../../../store/layout.ts";
import { openSqliteIndexes } from "../../../store/sqlite/sqlite-index.ts";
import { BlobMirror } from "../../blobs.ts";
import type { MirrorEvents } from "../../events.ts";
import { ManifestMirror } from "../../manifests.ts";
import { PageMirror } from "../../pages.ts";
import { Quota } from "../../quota.ts";
import { FakeRegistry } from "../../testing/fake-registry.ts";
import type { Events } from "../events.ts";
import type { Keeping } from "../keeping.ts";

/** A wait ends at once and lets this much time pass at most, so that waiting for work does not take years. */
const pauseMaxMs = 10;

/** A cache in a folder of its own, one registry by script behind every name, and a clock that only waiting moves. */
export interface World extends AsyncDisposable {
  readonly keeping: Keeping;
  readonly registry: FakeRegistry;
  readonly layout: Layout;
  /** Moves the clock. */
  pass(ms: number): void;
}

/** A rule that caches everything, but for what is said. */
export function ruleOf(parts: Partial<Rule>): Rule {
  return {
    id: "all",
    origin: { kind: "default" },
    match: { kind: "rest" },
    upstream: undefined,
    serve: "cache",
    freshForMs: 3_600_000,
    serveStaleForMs: 3_600_000,
    maxSizeBytes: undefined,
    ...parts,
  };
}

/** A world under rules; without any, everything is cached. */
export async function createWorld(...rules: readonly Rule[]): Promise<World> {
  let nowMs = 1_800_000_000_000;
  const clock = {
    nowMs: () => nowMs,
    pause: (ms: number) => {
      nowMs += Math.min(ms, pauseMaxMs);
      return new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
  const layout = layoutOf(mkdtempSync(join(tmpdir(), "periplus-keeping-")));
  const registry = new FakeRegistry();
  const keeping = await keep(layout, registry, clock, rules.length === 0 ? [ruleOf({})] : rules);
  return {
    keeping,
    registry,
    layout,
    pass: (ms) => {
      nowMs += ms;
    },
    async [Symbol.asyncDispose]() {
      while (keeping.blobs.runningFills > 0) await new Promise((resolve) => setImmediate(resolve));
      await keeping.index.close();
      rmSync(layout.root, { recursive: true });
    },
  };
}

async function keep(
  layout: Layout,
  registry: FakeRegistry,
  clock: Pick<Keeping, "nowMs" | "pause">,
  rules: readonly Rule[],
): Promise<Keeping> {
  const content = await openFileContent(layout);
  const { content: index, hosted } = openSqliteIndexes(layout.index);
  const { nowMs } = clock;
  const registryOf = (): FakeRegistry => registry;
  const after = (): Promise<undefined> => new Promise(() => undefined);
  const quota = new Quota(index, content, nowMs, () => undefined);
  const limits = { headersMs: 1000, stallMs: 1000, resumes: 0 };
  const manifests = new ManifestMirror({ index, registryOf, nowMs, after });
  return {
    ...clock,
    index,
    hosted,
    content,
    quota,
    manifests,
    blobs: new BlobMirror({ index, content, quota, registryOf, limits, events: noEvents, nowMs }),
    pages: new PageMirror({ index, manifests, registryOf, nowMs, after }),
    registries: { table: tableOf(rules), knows: (host) => known.has(host) },
    urlOf: (host) => `https://${host}`,
  };
}

const known: ReadonlySet<string> = new Set(["quay.io", "docker.io", "registry.k8s.io"]);

const noEvents: MirrorEvents = {
  wrongBytes: () => undefined,
  notKept: () => undefined,
  brokenOff: () => undefined,
  evicted: () => undefined,
  fillStarted: () => undefined,
  fillEnded: () => undefined,
};

function tableOf(rules: readonly Rule[]): Keeping["registries"]["table"] {
  const table = buildRuleTable(rules);
  if ("overlaps" in table) throw new Error("the rules of the test overlap");
  return table;
}

/** The place that a repository of the scripted registry is. */
export function placeOf(repository: string, upstream = "quay.io"): { upstream: RegistryHost; repository: Repository } {
  return { upstream: upstream as RegistryHost, repository: repository as Repository };
}

/** What an operation yielded, its progress apart. */
export interface Ran<Row, Totals> {
  readonly rows: readonly Row[];
  readonly summary: Totals | undefined;
  readonly outcome: string | undefined;
  readonly progress: number;
}

/** Runs an operation to its end. */
export async function run<Row, Totals>(events: Events<Row, Totals>): Promise<Ran<Row, Totals>> {
  const rows: Row[] = [];
  let progress = 0;
  let summary: (Totals & { readonly outcome: string }) | undefined;
  for await (const event of events) {
    if (event.kind === "progress") progress++;
    else if (event.kind === "result") rows.push(event);
    else summary = event;
  }
  return { rows, summary, outcome: summary?.outcome, progress };
}
