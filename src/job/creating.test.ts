import { expect, test } from "bun:test";
import { FakeRegistry } from "../copy/testing/fake-registry.ts";
import { blob, manifest } from "../copy/testing/images.ts";
import { copyAll, pairOf } from "../copy/testing/world.ts";
import type { Unavailable } from "../registry/remote.ts";
import { creatingTarget } from "./creating.ts";

const layer = blob("a layer");
const image = manifest({ config: layer.named, layers: [] });
const unknown: Unavailable = {
  kind: "unavailable",
  reason: "failed",
  status: 404,
  code: "NAME_UNKNOWN",
  message: "it answered 404",
  retryAfterMs: undefined,
};

interface Made {
  readonly status: readonly string[];
  readonly why: string | undefined;
  readonly created: number;
}

/** Copies two tags to a repository that takes pushes once it is created. */
async function copied(create: () => string | undefined, code: string = "NAME_UNKNOWN"): Promise<Made> {
  let created = 0;
  let isThere = false;
  const from = new FakeRegistry("a.test");
  from.hold("x", [layer], { v1: image, v2: image });
  const isPush = (request: string): boolean => request.startsWith("PU");
  const to = new FakeRegistry("b.test", {
    before: (request) => (isPush(request) && !isThere ? { ...unknown, code } : undefined),
  });
  const target = creatingTarget(to.end("y"), () => {
    created++;
    const reason = create();
    isThere = reason === undefined;
    return Promise.resolve(reason);
  });
  const { rows } = await copyAll(["v1", "v2"].map((tag) => pairOf(from.end("x"), target, tag)));
  return { status: rows.map(({ status }) => status), why: rows[0]?.failures[0]?.message, created };
}

test("created once for all that goes there, and pushed to again", async () => {
  expect(await copied(() => undefined)).toEqual({ status: ["copied", "copied"], why: undefined, created: 1 });
});

test("what cannot be created says why, once; another refusal creates nothing", async () => {
  const why = "it answered 404; it cannot be created: not allowed";
  expect(await copied(() => "not allowed")).toEqual({ status: ["failed", "failed"], why, created: 1 });
  expect(await copied(() => undefined, "DENIED")).toMatchObject({ status: ["failed", "failed"], created: 0 });
});
