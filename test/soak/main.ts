import { pushBesideCollections } from "../../src/server/testing/collecting.ts";
import { temporaryFolder } from "../real/process.ts";
import { killAgainAndAgain } from "../real/push-killing.ts";

// `npm run soak`: what the tests do a few times, for hours if wanted. `npm run soak -- KILLS CYCLES`; its figures go to stdout.

const [kills = "1000", cycles = "500"] = process.argv.slice(2);

function progress(what: string, all: number): (done: number) => void {
  return (done) => {
    if (done % 50 === 0) console.error(`${what}: ${done} of ${all}`);
  };
}

async function timed(what: string, work: () => Promise<object>): Promise<void> {
  const startedMs = performance.now();
  const figures = await work();
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(JSON.stringify({ what, seconds, ...figures }));
}

await timed("collections beside pushes", () =>
  pushBesideCollections({ cycles: Number(cycles), writers: 6, cycle: progress("collections", Number(cycles)) }),
);
await timed("kills of pushes", async () => {
  await using storage = await temporaryFolder("soak");
  const rounds = Number(kills);
  const options = { storage: storage.path, rounds, writers: 4, blobMaxBytes: 4_000_000 };
  return killAgainAndAgain({ ...options, round: progress("kills", rounds) });
});
