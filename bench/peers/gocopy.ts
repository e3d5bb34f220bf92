import { join } from "node:path";
import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender } from "./launch.ts";
import { buildGoCopy } from "./tools.ts";

const SOURCE = join(import.meta.dir, "..", "gocopy", "main.go");

/** How far the Go program goes: the copy alone, or also fsync and rename as a store must before it publishes. */
export type Durability = "copied" | "published";

/** Go's `io.Copy` from an upstream to client, file and hash. */
export function goCopy(bench: Bench, upstreamUrl: string, durability: Durability): Contender {
  return contender(bench, {
    name: durability === "copied" ? "Go io.Copy" : "Go io.Copy+fsync",
    role: "peer",
    find: () => buildGoCopy(SOURCE),
    argv: (program, place) => [
      program,
      `-listen=127.0.0.1:${place.port}`,
      `-upstream=${upstreamUrl}`,
      `-dir=${place.dir}`,
      `-publish=${durability === "published"}`,
    ],
  });
}
