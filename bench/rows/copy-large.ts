import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGoProgram, findOwn } from "../peers/tools.ts";
import type { Row } from "../row.ts";
import { COPY_METRICS, type Copier, type CopyPlace, copyTargets, openCopies, ownProgram } from "./copy-pair.ts";

const PEERS = ["crane", "regctl", "oras"] as const;

/** One image of eight layers of 25 MB, from one registry to another that has nothing of it. */
export const copyLarge: Row = rowOf("copy-large", false);

/** The same with registries that speak TLS, as they do elsewhere than on loopback. */
export const copyLargeTls: Row = rowOf("copy-large-tls", true);

function rowOf(id: string, isTls: boolean): Row {
  return {
    id,
    title: `copy of an image of 200 MB${isTls ? " over TLS" : ""}`,
    lifetime: "row",
    metrics: COPY_METRICS,
    targets: copyTargets(PEERS),
    open: (bench) =>
      openCopies(bench, { images: 1, layers: 8, layerBytes: 25_000_000, isTls, copiers: copiersFor(isTls) }),
  };
}

const ours: Copier["args"] = ({ source, target }) => ["copy", `${source}:t0`, `${target}:t0`];

function copiersFor(isTls: boolean): readonly Copier[] {
  const orasFlags = isTls ? [] : ["--from-plain-http", "--to-plain-http"];
  return [
    ownProgram("bin/periplus", findOwn, ours),
    ownProgram("dist/periplus", findOwn, ours),
    {
      name: "crane",
      role: "peer",
      find: () => findGoProgram("crane", "crane"),
      args: ({ source, target }) => ["copy", ...(isTls ? [] : ["--insecure"]), `${source}:t0`, `${target}:t0`],
    },
    {
      name: "regctl",
      role: "peer",
      find: () => findGoProgram("regctl", "regctl"),
      args: ({ source, target }) => ["image", "copy", `${source}:t0`, `${target}:t0`],
      env: (place) => ({ REGCTL_CONFIG: regctlConfig(place) }),
    },
    {
      name: "oras",
      role: "peer",
      find: () => findGoProgram("oras", "oras"),
      args: ({ source, target }) => ["cp", ...orasFlags, `${source}:t0`, `${target}:t0`],
    },
  ];
}

/** Whether the registries speak TLS, and by which certificate. */
function regctlConfig({ source, target, dir, certFile }: CopyPlace): string {
  const path = join(dir, "regctl.json");
  const host =
    certFile === undefined ? { tls: "disabled" } : { tls: "enabled", regcert: readFileSync(certFile, "utf8") };
  const hosts = [source, target].map((place) => [place.split("/")[0] ?? "", host] as const);
  writeFileSync(path, JSON.stringify({ hosts: Object.fromEntries(hosts) }));
  return path;
}
