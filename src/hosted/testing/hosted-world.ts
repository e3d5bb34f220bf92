import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { algorithmOf, type Digest, type DigestAlgorithm, digestFrom } from "../../reference/digest.ts";
import type { Repository } from "../../reference/repository.ts";
import { type ContentStore, openFileContent } from "../../store/content.ts";
import type { ContentIndex } from "../../store/content-index.ts";
import type { Draft } from "../../store/draft.ts";
import type { HostedIndex } from "../../store/hosted-index.ts";
import { type Layout, layoutOf } from "../../store/layout.ts";
import { openSqliteIndexes } from "../../store/sqlite/sqlite-index.ts";
import { openFileUploads, type UploadStore } from "../../store/uploads.ts";
import { HostedBlobs } from "../blobs.ts";
import type { Body } from "../session.ts";
import { type EndedUpload, type UploadKeeper, Uploads } from "../uploads.ts";

/** What goes wrong with the disk of a world, from now on and until it is changed. */
export interface HostedFaults {
  /** Bytes of any upload that fit: as many are written, then ENOSPC. */
  roomBytes?: number;
  /** The system's error of reading an upload back, and of its sync. */
  read?: string;
  sync?: string;
  /** What makes room on a full disk. */
  makeRoom?: () => boolean;
}

/** Our own repositories over a folder of their own. Time stands still until a test moves it. */
export interface HostedWorld extends AsyncDisposable {
  readonly layout: Layout;
  readonly held: ContentIndex;
  readonly index: HostedIndex;
  readonly content: ContentStore;
  readonly store: UploadStore;
  readonly uploads: Uploads;
  readonly blobs: HostedBlobs;
  readonly faults: HostedFaults;
  nowMs: number;
  /** Uploads as a process has them that was started just now. */
  restarted(): Uploads;
}

/** Puts a world together. Dispose of it with `await using`. */
export async function createHostedWorld(faults: HostedFaults = {}): Promise<HostedWorld> {
  const layout = layoutOf(await mkdtemp(join(tmpdir(), "periplus-hosted-")));
  const content = await openFileContent(layout);
  const { content: held, hosted: index } = openSqliteIndexes(layout.index);
  const store = faultyUploads(await openFileUploads(layout, true), faults);
  let ids = 0;
  const randomId = (): string => String(ids++).padStart(32, "0");
  const makeRoom = async (): Promise<boolean> => faults.makeRoom?.() ?? false;
  const made: Uploads[] = [];
  const restarted = (): Uploads => {
    const uploads = new Uploads({ store, makeRoom, randomId });
    made.push(uploads);
    return uploads;
  };
  const world: HostedWorld = {
    layout,
    held,
    index,
    content,
    store,
    uploads: restarted(),
    blobs: new HostedBlobs({ index, held, content, nowMs: () => world.nowMs }),
    faults,
    nowMs: 1_000_000,
    restarted,
    [Symbol.asyncDispose]: async () => {
      for (const uploads of made) await uploads.close();
      await held.close();
      await rm(layout.root, { recursive: true });
    },
  };
  return world;
}

/** Keeps an upload as a blob of a repository; who sends it may know what any repository has. */
export function keeperOf({ index, blobs }: HostedWorld, at: Repository, digest: Digest): UploadKeeper {
  return {
    findHeld: async () => {
      const [source] = await index.repositoriesWith(digest, 1);
      return source && blobs.again(source, digest);
    },
    keep: (session) => blobs.keep(at, digest, session),
  };
}

/** Pushes a body in one request, as the blob of a repository that has this digest; what came of it. */
export async function pushTo(world: HostedWorld, at: Repository, digest: Digest, body: Body): Promise<EndedUpload> {
  const upload = { repository: at, id: await world.uploads.begin(at), digest };
  return world.uploads.end(upload, { startByte: undefined, body }, keeperOf(world, at, digest));
}

/** Pieces as a request brings them; when `error` is given, it breaks off after the last with that. */
export async function* bodyOf(pieces: readonly (string | Uint8Array<ArrayBuffer>)[], error?: Error): Body {
  for (const piece of pieces) yield typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
  if (error !== undefined) throw error;
}

/** The digest of bytes. */
export function digestOf(bytes: string | Uint8Array, algorithm: DigestAlgorithm = "sha256"): Digest {
  return digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"));
}

/** The digest of what a path holds, by the algorithm of another. */
export async function digestOfFile(path: string, like: Digest): Promise<Digest> {
  return digestOf(await Bun.file(path).bytes(), algorithmOf(like));
}

/** What work was rejected with, as text; "nothing" when it was not. */
export async function errorOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "nothing", String);
}

function faultyUploads(inner: UploadStore, faults: HostedFaults): UploadStore {
  return {
    begin: async (id) => faultyDraft(await inner.begin(id), faults),
    reopen: async (id) => {
      const found = await inner.reopen(id);
      return found && { ...found, draft: faultyDraft(found.draft, faults) };
    },
    sweep: (beforeMs) => inner.sweep(beforeMs),
  };
}

function faultyDraft(inner: Draft, faults: HostedFaults): Draft {
  return {
    path: inner.path,
    write: async (pieces, offset) => {
      const whole = Buffer.concat(pieces);
      const room = Math.max(0, (faults.roomBytes ?? Number.POSITIVE_INFINITY) - offset);
      const fits = Math.min(room, whole.byteLength);
      if (fits > 0) await inner.write([new Uint8Array(whole.subarray(0, fits))], offset);
      fault(fits < whole.byteLength ? "ENOSPC" : undefined);
    },
    writeNow: (pieces, offset) => {
      const endByte = pieces.reduce((sum, piece) => sum + piece.byteLength, offset);
      fault(endByte > (faults.roomBytes ?? Number.POSITIVE_INFINITY) ? "ENOSPC" : undefined);
      inner.writeNow(pieces, offset);
    },
    read: async (offset, length) => {
      fault(faults.read);
      return inner.read(offset, length);
    },
    sync: async () => {
      fault(faults.sync);
      await inner.sync();
    },
    discard: () => inner.discard(),
    close: () => inner.close(),
  };
}

function fault(code: string | undefined): void {
  if (code !== undefined) throw Object.assign(new Error(`${code}: the disk of this test`), { code });
}
