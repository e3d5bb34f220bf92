import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "../../src/registry/testing/content.ts";
import { get } from "./endpoint.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { goOn, type Interrupted, type Ledger, POINTS, type Point, pushUntilGone, Wrong } from "./push-writer.ts";

/** What a server is killed at: a moment by chance, a point of a push, or what is seen in its storage folder. */
type KillAt = Point | "by chance" | "file in uploads" | "file out of uploads";

/** How often, by how many writers, and with blobs of which size a server is killed. */
export interface KillOptions {
  readonly storage: string;
  readonly rounds: number;
  readonly writers: number;
  readonly blobMaxBytes: number;
  /** Told after each round. */
  readonly round?: (done: number) => void;
}

/** What was seen; everything wrong is thrown. */
export interface KillFigures {
  readonly rounds: number;
  readonly blobs: number;
  readonly manifests: number;
  readonly tags: number;
  readonly uploadsGoneOn: number;
  readonly uploadsOver: number;
  /** Rounds by what the server was killed at. */
  readonly killedAt: Readonly<Record<string, number>>;
  readonly slowestStartMs: number;
}

const kinds: readonly KillAt[] = ["by chance", "file in uploads", "file out of uploads", ...POINTS];

/**
 * Kills a server with SIGKILL while writers push, again and again, at every kind of moment in turn, and looks after each start
 * whether all that was acknowledged is there, whole, and uploads go on.
 */
export async function killAgainAndAgain(options: KillOptions): Promise<KillFigures> {
  const ledger: Ledger = { blobs: new Set(), manifests: new Map(), tags: new Map(), recent: [] };
  const killedAt: Record<string, number> = {};
  const checked = new Set<string>();
  const goneOn = { "went on": 0, "is over": 0 };
  let slowestStartMs = 0;
  let interrupted: readonly Interrupted[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    const startedMs = performance.now();
    await using periplus = await start(options.storage);
    slowestStartMs = Math.max(slowestStartMs, performance.now() - startedMs);
    for (const upload of interrupted) goneOn[await goOn(periplus.endpoint, upload, ledger)]++;
    // All at the end; what is new after each kill.
    if (round === options.rounds) checked.clear();
    await checkAcknowledged(periplus, ledger, checked);
    if (round === options.rounds) break;
    const at = kinds[round % kinds.length] ?? "by chance";
    interrupted = await pushAndKill(periplus, at, { ...options, ledger, round: round % 7 });
    killedAt[at] = (killedAt[at] ?? 0) + 1;
    options.round?.(round + 1);
  }
  await checkFiles(options.storage);
  const { blobs, manifests, tags } = ledger;
  return {
    rounds: options.rounds,
    blobs: blobs.size,
    manifests: manifests.size,
    tags: tags.size,
    uploadsGoneOn: goneOn["went on"],
    uploadsOver: goneOn["is over"],
    killedAt,
    slowestStartMs: Math.round(slowestStartMs),
  };
}

function start(storage: string): Promise<Periplus> {
  return startPeriplus({ config: { storage, log: "off", rules: [{ match: "*", serve: "store" }] } });
}

async function pushAndKill(
  periplus: Periplus,
  at: KillAt,
  options: Omit<KillOptions, "round"> & { readonly ledger: Ledger; readonly round: number },
): Promise<readonly Interrupted[]> {
  const { running, endpoint } = periplus;
  let left = 1 + Math.floor(Math.random() * 8);
  const reached = (what: KillAt): void => {
    if (what === at && --left === 0) running.signal("SIGKILL");
  };
  const chance = setTimeout(() => running.signal("SIGKILL"), at === "by chance" ? Math.random() * 400 : 5000);
  const watcher = await watchUploads(options.storage, reached);
  const writers = Array.from({ length: options.writers }, (_, writer) =>
    pushUntilGone(endpoint, { ...options, repository: `writer-${writer}/app-${options.round}`, reached }),
  );
  const interrupted = await Promise.all(writers);
  clearTimeout(chance);
  watcher.close();
  await running.exited;
  return interrupted.filter((upload) => upload !== undefined);
}

/** Tells as soon as the folder of uploads has a name more, or one less because it became a blob. */
async function watchUploads(storage: string, reached: (what: KillAt) => void): Promise<FSWatcher> {
  const folder = join(storage, "v1", "uploads");
  await mkdir(folder, { recursive: true });
  const known = new Set(await readdir(folder));
  return watch(folder, (event, name) => {
    if (event !== "rename" || name === null) return;
    if (known.delete(name)) reached("file out of uploads");
    else {
      known.add(name);
      reached("file in uploads");
    }
  });
}

async function checkAcknowledged({ endpoint }: Periplus, ledger: Ledger, checked: Set<string>): Promise<void> {
  const fresh = (keys: Iterable<string>): readonly string[] => [...keys].filter((key) => !checked.has(key));
  for (const path of fresh(ledger.blobs)) {
    const reply = await get(endpoint, `/v2/${path}`);
    const found = reply.status === 200 ? digestOf(await reply.bytes()) : String(reply.status);
    if (!path.endsWith(found)) throw new Wrong(`${path} was acknowledged and is ${found}`);
    checked.add(path);
  }
  for (const path of fresh(ledger.manifests.keys())) {
    const reply = await get(endpoint, `/v2/${path}`);
    const text = await reply.text();
    if (text !== ledger.manifests.get(path)) throw new Wrong(`${path} was acknowledged and is ${reply.status} ${text}`);
    checked.add(path);
  }
  for (const [path, digests] of ledger.tags) {
    const reply = await get(endpoint, `/v2/${path}`, { method: "HEAD" });
    const digest = reply.headers.get("docker-content-digest") ?? "none";
    if (!digests.includes(digest)) throw new Wrong(`${path} is ${digest}, not one of ${digests.join(", ")}`);
    ledger.tags.set(path, [digest]);
  }
}

/** Every file under a digest's name has that digest: none is torn, acknowledged or not. */
async function checkFiles(storage: string): Promise<void> {
  const folder = join(storage, "v1", "blobs");
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/\/[0-9a-f]{64}$/.test(name)) continue;
    const digest = digestOf(await Bun.file(join(folder, name)).bytes());
    if (!digest.endsWith(name.slice(-64))) throw new Wrong(`${name} holds ${digest}`);
  }
}
