import { join } from "node:path";
import { freePort } from "../measure/port.ts";
import { type Server, startServer } from "../measure/server.ts";
import type { Bench } from "../measure/stage.ts";
import type { Announcement } from "../origin.ts";
import { digestOf, type Image, makeImage, noiseBlock } from "./content.ts";

/** The scripted upstream as a row sees it: makes images, tells the upstream of them, asks how often a digest was fetched. */
export class Origin {
  readonly url: string;
  readonly #server: Server;
  readonly #block: Uint8Array = noiseBlock();
  #nextSeed = 1;

  constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  /** A new image of one layer of that size that no one has pulled yet. */
  async addImage(repository: string, layerBytes: number): Promise<Image> {
    const image = makeImage(repository, { sizeBytes: layerBytes, seed: this.#nextSeed }, this.#block);
    this.#nextSeed += 1;
    await this.#announce({ images: [image] });
    return image;
  }

  /** So many new blobs of that size; their digests. */
  async addBlobs(count: number, sizeBytes: number): Promise<readonly string[]> {
    const specs = Array.from({ length: count }, (_, i) => ({ sizeBytes, seed: this.#nextSeed + i }));
    this.#nextSeed += count;
    const blobs = Object.fromEntries(specs.map((spec) => [digestOf(spec, this.#block), spec]));
    await this.#announce({ blobs });
    return Object.keys(blobs);
  }

  /** How often the bytes of a digest were fetched from the upstream. */
  async gets(digest: string): Promise<number> {
    const counts = (await (await fetch(`${this.url}/control/gets`)).json()) as Record<string, number>; // our own server
    return counts[digest] ?? 0;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #announce(announcement: Announcement): Promise<void> {
    await fetch(`${this.url}/control/images`, { method: "POST", body: JSON.stringify(announcement) });
  }
}

/** Starts the scripted upstream on the load's core, paced to `bytesPerSecond` in all if that is given. */
export async function startOrigin(bench: Bench, bytesPerSecond?: number): Promise<Origin> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = join(import.meta.dir, "..", "origin.ts");
  const pace = bytesPerSecond === undefined ? [] : [String(bytesPerSecond)];
  const server = await startServer({
    name: "origin",
    argv: [process.execPath, program, String(port), ...pace],
    cores: String(bench.loadCore),
    logPath: join(bench.workDir, "origin.log"),
    readyUrl: `${url}/v2/`,
    readyTimeoutMs: 10_000,
  });
  return new Origin(url, server);
}
