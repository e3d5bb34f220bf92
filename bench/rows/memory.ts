import { mkdirSync, openSync, writeSync, closeSync } from "node:fs";
import { dirname } from "node:path";
import { type Bench, emptyDir } from "../measure/stage.ts";
import { noiseBlock, pieces } from "../origin/content.ts";
import { type Origin, startOrigin } from "../origin/client.ts";
import { archeio } from "../peers/archeio.ts";
import { bare } from "../peers/bare.ts";
import { distribution } from "../peers/distribution.ts";
import { nginxFiles } from "../peers/nginx.ts";
import { periplusCache, periplusRedirect } from "../peers/periplus.ts";
import { zot } from "../peers/zot.ts";
import type { Contender, Row, Stage } from "../row.ts";
import { idle, manyRequests, type Phase, slowCold, slowFile, slowHeld } from "./memory-phases.ts";
import { UPSTREAM_URL } from "./sites.ts";

const FILE_PATH = "/v2/library/held/blobs/file";

/** Resident memory of a fresh process through idleness, slow clients and many requests. */
export const memory: Row = {
  id: "memory",
  title: "memory: idle, 200 slow pulls of 1 GiB, after 10^6 requests",
  lifetime: "round",
  maxRounds: 1,
  metrics: [
    { key: "idleMB", label: "idle MB", digits: 0 },
    { key: "slowColdMB", label: "200 slow, cold: peak MB", digits: 0 },
    { key: "slowHeldMB", label: "200 slow, held: peak MB", digits: 0 },
    { key: "afterMillionMB", label: "after 10^6 MB", digits: 0 },
    { key: "grownMB", label: "grown since 10^5 MB", digits: 1 },
  ],
  targets: [
    { kind: "value", metric: "idleMB", of: "periplus", bound: { kind: "atMost", value: 70 } },
    { kind: "value", metric: "slowColdMB", of: "periplus", bound: { kind: "atMost", value: 256 } },
    { kind: "value", metric: "slowHeldMB", of: "periplus", bound: { kind: "atMost", value: 256 } },
    { kind: "value", metric: "grownMB", of: "periplus", bound: { kind: "atMost", value: 10 } },
    { kind: "value", metric: "grownMB", of: "periplus, redirect", bound: { kind: "atMost", value: 10 } },
  ],
  open,
};

interface Watched {
  readonly contender: Contender;
  readonly phases: readonly Phase[];
}

async function open(bench: Bench): Promise<Stage> {
  const origin = await startOrigin(bench);
  const watched = watch(bench, origin);
  return {
    contenders: watched.map(({ contender }) => contender),
    measure: async (running, contender) => {
      const { server } = running;
      if (server === undefined) throw new Error("memory needs a server");
      const phases = watched.find((candidate) => candidate.contender === contender)?.phases ?? [];
      const sample: Record<string, number> = {};
      for (const phase of phases) Object.assign(sample, await phase({ bench, running, server, origin }));
      return sample;
    },
    close: () => origin.stop(),
  };
}

function watch(bench: Bench, origin: Origin): readonly Watched[] {
  const sites = { upstreamUrl: UPSTREAM_URL, bucketUrl: "https://bucket.example" };
  const files = fileOfOneGiB(bench);
  const held = manyRequests(heldManifest);
  const redirected = manyRequests(async () => "/v2/team/app/manifests/v1");
  return [
    { contender: periplusCache(bench, origin.url), phases: [idle, held, slowHeld, slowCold] },
    {
      contender: periplusRedirect(bench, sites, { name: "periplus, redirect" }),
      phases: [idle, redirected],
    },
    { contender: archeio(bench, UPSTREAM_URL, sites.bucketUrl), phases: [idle, redirected] },
    { contender: distribution(bench, origin.url), phases: [idle, slowHeld, slowCold] },
    { contender: zot(bench, origin.url), phases: [idle] },
    { contender: nginxFiles(bench, files), phases: [idle, slowFile(FILE_PATH)] },
    { contender: bare(bench, { kind: "fill", upstream: origin.url }), phases: [idle, slowCold] },
  ];
}

async function heldManifest(origin: Origin): Promise<string> {
  const image = await origin.addImage("library/requests", 1000);
  return `/v2/library/requests/manifests/${image.manifestDigest}`;
}

function fileOfOneGiB(bench: Bench): string {
  const root = emptyDir(bench, "files");
  mkdirSync(dirname(root + FILE_PATH), { recursive: true });
  const file = openSync(root + FILE_PATH, "w");
  for (const piece of pieces({ sizeBytes: 2 ** 30, seed: 0 }, noiseBlock(), 1 << 20)) writeSync(file, piece);
  closeSync(file);
  return root;
}
