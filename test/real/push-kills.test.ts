import { expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "./process.ts";
import { killAgainAndAgain } from "./push-killing.ts";

// Faults F15 and F34 of pushes: SIGKILL at every point of a push and at moments by chance. `npm run soak` does it a thousand times.

setDefaultTimeout(180_000);

test("after fifty kills all that was acknowledged is there, uploads go on, and nothing is torn (F15, F34)", async () => {
  await using storage = await temporaryFolder("push-kills");
  const figures = await killAgainAndAgain({ storage: storage.path, rounds: 50, writers: 3, blobMaxBytes: 1_500_000 });
  expect(figures.manifests).toBeGreaterThan(20);
  expect(figures.uploadsGoneOn).toBeGreaterThan(10);
  expect(Object.keys(figures.killedAt)).toHaveLength(9);
});
