import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, emptyDir } from "../measure/stage.ts";
import { startOrigin } from "../origin/client.ts";
import { bare } from "../peers/bare.ts";
import { distribution } from "../peers/distribution.ts";
import { periplusCache } from "../peers/periplus.ts";
import type { Row, Stage } from "../row.ts";
import { expectAnswer } from "./expect.ts";
import { REQUEST_METRICS, requestLoad } from "./request-load.ts";
import { CONNECTIONS } from "./sites.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** A manifest that is held, by digest: distribution asks its upstream at every pull by tag. */
export const manifestHeld: Row = {
  id: "manifest-held",
  title: "manifest held, by digest",
  lifetime: "row",
  metrics: REQUEST_METRICS,
  targets: [
    {
      kind: "ratio",
      metric: "requestsPerS",
      of: "periplus",
      over: "distribution",
      bound: { kind: "atLeast", value: 8 },
    },
  ],
  open,
};

async function open(bench: Bench): Promise<Stage> {
  const origin = await startOrigin(bench);
  const image = await origin.addImage("library/held", 1000);
  const path = `/v2/library/held/manifests/${image.manifestDigest}`;
  const file = join(emptyDir(bench, "manifest"), "manifest.json");
  writeFileSync(file, image.manifest);
  return {
    contenders: [
      periplusCache(bench, origin.url),
      distribution(bench, origin.url),
      bare(bench, { kind: "memory", file, type: MANIFEST_TYPE }),
    ],
    measure: async (running) => {
      const headers = { Accept: MANIFEST_TYPE };
      await expectAnswer(running, path, { status: 200, bodyBytes: image.manifest.length }, headers);
      return requestLoad(bench, running, { paths: [path], connections: CONNECTIONS, headers });
    },
    close: () => origin.stop(),
  };
}
