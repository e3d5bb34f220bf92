import { expect, test } from "bun:test";
import { pushBesideCollections } from "../testing/collecting.ts";

// Fault F32: what is collected while pushes go on. `npm run soak` does it for longer.

test("collections beside pushes, mounts and deletions lose nothing that was acknowledged, and leave nothing (F32)", async () => {
  const figures = await pushBesideCollections({ cycles: 20, writers: 4 });
  expect(figures.manifests).toBeGreaterThan(20);
  expect(figures.mounts).toBeGreaterThan(0);
  expect(figures.collectedFiles).toBeGreaterThan(0);
}, 60_000);
