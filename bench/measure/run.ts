import type { Contender, Missing, Row, RowResult, Running, Sample, Stage, Standing } from "../row.ts";
import { medianSample } from "./median.ts";
import type { Bench } from "./stage.ts";

/** A contender with what it has come to so far. */
interface Entry {
  readonly contender: Contender;
  readonly samples: Sample[];
  absence: Missing | undefined;
  running: Running | undefined;
}

/**
 * Measures all contenders of a row in turn, round after round, each round beginning with another one, so that what
 * else the machine does falls on all alike. One that is missing or fails is left out and says why.
 */
export async function runRow(bench: Bench, row: Row): Promise<RowResult> {
  bench.say(`${row.id}: ${row.title}`);
  const stage = await row.open(bench);
  const entries = stage.contenders.map(
    (contender): Entry => ({ contender, samples: [], absence: undefined, running: undefined }),
  );
  try {
    for (let round = 0; round < Math.min(bench.rounds, row.maxRounds ?? bench.rounds); round += 1) {
      for (const entry of rotated(entries, round)) await measureOnce(bench, { row, stage, entry });
    }
  } finally {
    for (const entry of entries) await stopEntry(entry);
    await stage.close();
  }
  return { row, standings: entries.map(standing) };
}

async function measureOnce(
  bench: Bench,
  turn: { readonly row: Row; readonly stage: Stage; readonly entry: Entry },
): Promise<void> {
  const { row, stage, entry } = turn;
  if (entry.absence !== undefined) return;
  try {
    const running = entry.running ?? (await entry.contender.start());
    if (running.kind === "missing") {
      entry.absence = running;
      bench.say(`  ${entry.contender.name}: ${running.reason}`);
      return;
    }
    entry.running = running;
    const sample = await stage.measure(running, entry.contender);
    entry.samples.push(sample);
    bench.say(`  ${entry.contender.name}: ${shown(row, sample)}`);
  } catch (error) {
    entry.absence = { kind: "missing", reason: `failed: ${error instanceof Error ? error.message : String(error)}` };
    bench.say(`  ${entry.contender.name}: ${entry.absence.reason}`);
  }
  if (row.lifetime === "round" || entry.absence !== undefined) await stopEntry(entry);
}

async function stopEntry(entry: Entry): Promise<void> {
  await entry.running?.server?.stop();
  entry.running = undefined;
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

function standing(entry: Entry): Standing {
  const { name, role } = entry.contender;
  if (entry.absence !== undefined) return { kind: "missing", name, role, reason: entry.absence.reason };
  return { kind: "measured", name, role, sample: medianSample(entry.samples), rounds: entry.samples.length };
}

function shown(row: Row, sample: Sample): string {
  return row.metrics
    .flatMap(({ key, label, digits }) => (sample[key] === undefined ? [] : [`${label} ${sample[key].toFixed(digits)}`]))
    .join(", ");
}
