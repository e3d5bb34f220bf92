import type { Bench } from "../measure/stage.ts";
import { archeio } from "../peers/archeio.ts";
import { bare } from "../peers/bare.ts";
import { nginxRedirect } from "../peers/nginx.ts";
import { periplusRedirect } from "../peers/periplus.ts";
import type { Row, Stage } from "../row.ts";
import { expectAnswer } from "./expect.ts";
import { REQUEST_METRICS, requestLoad } from "./request-load.ts";
import { CONNECTIONS, PATH_COUNT, UPSTREAM_URL } from "./sites.ts";

const BUCKET_URL = "https://bucket.example";

/** 307 of a manifest to the upstream. */
export const manifestRedirect: Row = {
  id: "manifest-redirect",
  title: "307 of a manifest",
  lifetime: "row",
  metrics: REQUEST_METRICS,
  targets: [
    { kind: "ratio", metric: "requestsPerS", of: "periplus", over: "archeio", bound: { kind: "atLeast", value: 1.8 } },
    { kind: "ratio", metric: "requestsPerS", of: "periplus", over: "nginx", bound: { kind: "atLeast", value: 0.55 } },
  ],
  open,
};

async function open(bench: Bench): Promise<Stage> {
  const sites = { upstreamUrl: UPSTREAM_URL, bucketUrl: BUCKET_URL };
  const paths = Array.from({ length: PATH_COUNT }, (_, i) => `/v2/team-${i % 20}/app-${i}/manifests/v1.${i}`);
  return {
    contenders: [
      periplusRedirect(bench, sites),
      periplusRedirect(bench, sites, { name: "periplus, log on", log: "on" }),
      archeio(bench, UPSTREAM_URL, BUCKET_URL),
      nginxRedirect(bench, UPSTREAM_URL),
      bare(bench, { kind: "redirect", to: `${UPSTREAM_URL}/v2/k8s-artifacts-prod/images` }),
    ],
    measure: async (running) => {
      await expectAnswer(running, paths[0] ?? "/", { status: 307, locationPrefix: UPSTREAM_URL });
      return requestLoad(bench, running, { paths, connections: CONNECTIONS });
    },
    close: async () => undefined,
  };
}
