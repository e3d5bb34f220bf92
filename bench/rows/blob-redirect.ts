import { startOrigin } from "../origin/client.ts";
import type { Bench } from "../measure/stage.ts";
import { archeio } from "../peers/archeio.ts";
import { bare } from "../peers/bare.ts";
import { periplusRedirect } from "../peers/periplus.ts";
import type { Row, Running, Stage } from "../row.ts";
import { expectAnswer } from "./expect.ts";
import { REQUEST_METRICS, requestLoad } from "./request-load.ts";
import { CONNECTIONS, FORWARDED_FOR, PATH_COUNT, UPSTREAM_URL } from "./sites.ts";

/** 307 of a blob to the bucket of the client's address, after the bucket has said that it holds the blob. */
export const blobRedirect: Row = {
  id: "blob-redirect",
  title: "307 of a blob by client address, existence known",
  lifetime: "row",
  metrics: REQUEST_METRICS,
  targets: [{ kind: "ratio", metric: "cpuUs", of: "periplus", over: "archeio", bound: { kind: "atMost", value: 0.6 } }],
  open,
};

async function open(bench: Bench): Promise<Stage> {
  const origin = await startOrigin(bench);
  const sites = { upstreamUrl: UPSTREAM_URL, bucketUrl: origin.url };
  const paths = Array.from({ length: PATH_COUNT }, (_, i) => `/v2/team/app/blobs/${digest(i)}`);
  return {
    contenders: [
      periplusRedirect(bench, sites),
      archeio(bench, UPSTREAM_URL, origin.url),
      bare(bench, { kind: "redirect", to: `${origin.url}/v2` }),
    ],
    measure: async (running) => {
      await learn(running, paths, origin.url);
      return requestLoad(bench, running, { paths, connections: CONNECTIONS, headers: FORWARDED_FOR });
    },
    close: () => origin.stop(),
  };
}

function digest(i: number): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(`blob ${i}`).digest("hex")}`;
}

/**
 * Each path once, one after another, so that the load finds every digest known. By many clients: one alone may not
 * cause so many questions to a bucket.
 */
async function learn(running: Running, paths: readonly string[], bucketUrl: string): Promise<void> {
  for (const [i, path] of paths.entries()) {
    const client = { "X-Forwarded-For": `203.0.113.${i % 250}, 127.0.0.1` };
    await expectAnswer(running, path, { status: 307, locationPrefix: bucketUrl }, client);
  }
}
