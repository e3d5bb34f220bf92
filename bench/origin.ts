/**
 * The scripted upstream of the benchmark: `bun bench/origin.ts PORT [BYTES_PER_SECOND]`. A registry that holds what
 * `POST /control/images` told it, a bucket that has everything, and a count of the GETs of each digest.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { noiseBlock, pieces, type BlobSpec, type Image } from "./origin/content.ts";
import { Pace } from "./origin/pace.ts";

const PACED_PIECE_BYTES = 64 * 1024;
const PIECE_BYTES = 1 << 20;
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

interface Holdings {
  readonly block: Uint8Array;
  readonly pace: Pace;
  readonly manifests: Map<string, Image>;
  readonly configs: Map<string, string>;
  readonly blobs: Map<string, BlobSpec>;
  readonly gets: Map<string, number>;
}

/** What `POST /control/images` takes: images, and blobs without an image, by digest. */
export interface Announcement {
  readonly images?: readonly Image[];
  readonly blobs?: Readonly<Record<string, BlobSpec>>;
}

function announce(holdings: Holdings, announcement: Announcement): void {
  for (const [digest, spec] of Object.entries(announcement.blobs ?? {})) holdings.blobs.set(digest, spec);
  for (const image of announcement.images ?? []) {
    holdings.manifests.set(`${image.repository}:${image.tag}`, image);
    holdings.manifests.set(`${image.repository}:${image.manifestDigest}`, image);
    holdings.configs.set(image.configDigest, image.config);
    holdings.blobs.set(image.layerDigest, image.layer);
  }
}

function replyText(res: ServerResponse, status: number, headers: Record<string, string>, text: string): void {
  res.writeHead(status, { "content-length": String(Buffer.byteLength(text)), ...headers });
  res.end(res.req.method === "HEAD" ? undefined : text);
}

function replyJson(res: ServerResponse, value: unknown, type = "application/json"): void {
  replyText(res, 200, { "content-type": type }, JSON.stringify(value));
}

function replyUnknown(res: ServerResponse, code: string): void {
  const body = JSON.stringify({ errors: [{ code, message: "not held by the benchmark's origin" }] });
  replyText(res, 404, { "content-type": "application/json" }, body);
}

function replyManifest(holdings: Holdings, res: ServerResponse, key: string): void {
  const image = holdings.manifests.get(key);
  if (image === undefined) return replyUnknown(res, "MANIFEST_UNKNOWN");
  const headers = { "content-type": MANIFEST_TYPE, "docker-content-digest": image.manifestDigest };
  return replyText(res, 200, headers, image.manifest);
}

async function replyBlob(holdings: Holdings, res: ServerResponse, digest: string): Promise<void> {
  const headers = { "content-type": "application/octet-stream", "docker-content-digest": digest };
  const config = holdings.configs.get(digest);
  if (config !== undefined) return replyText(res, 200, headers, config);
  const spec = holdings.blobs.get(digest);
  if (spec === undefined) return replyUnknown(res, "BLOB_UNKNOWN");
  res.writeHead(200, { ...headers, "content-length": String(spec.sizeBytes) });
  if (res.req.method === "HEAD") {
    res.end();
    return;
  }
  holdings.gets.set(digest, (holdings.gets.get(digest) ?? 0) + 1);
  await sendPieces(holdings, res, spec);
}

async function sendPieces(holdings: Holdings, res: ServerResponse, spec: BlobSpec): Promise<void> {
  const pieceBytes = holdings.pace.limited ? PACED_PIECE_BYTES : PIECE_BYTES;
  for (const piece of pieces(spec, holdings.block, pieceBytes)) {
    const waitMs = holdings.pace.book(piece.length);
    if (waitMs > 0) await Bun.sleep(waitMs);
    if (res.destroyed || res.socket?.destroyed === true) return;
    if (!res.write(piece)) await drained(res);
  }
  res.end();
}

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      res.off("drain", go);
      res.off("close", go);
      resolve();
    };
    res.on("drain", go);
    res.on("close", go);
  });
}

async function readBody(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer); // a request in binary mode gives buffers
  return Buffer.concat(parts).toString("utf8");
}

async function control(holdings: Holdings, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method === "GET") return replyJson(res, Object.fromEntries(holdings.gets));
  announce(holdings, JSON.parse(await readBody(req)) as Announcement); // sent by the harness alone
  return replyJson(res, {});
}

async function answer(holdings: Holdings, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const path = (req.url ?? "/").split("?")[0] ?? "/";
  if (path === "/v2/" || path === "/v2") return replyJson(res, {});
  if (path.startsWith("/control/")) return control(holdings, req, res);
  if (path.startsWith("/containers/images/")) return replyText(res, 200, {}, "");
  const match = /^\/v2\/(.+)\/(manifests|blobs|referrers|tags)\/([^/]+)$/.exec(path);
  const [, repository = "", kind, reference = ""] = match ?? [];
  if (kind === "manifests") return replyManifest(holdings, res, `${repository}:${reference}`);
  if (kind === "blobs") return replyBlob(holdings, res, reference);
  if (kind === "referrers")
    return replyJson(res, { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] }, INDEX_TYPE);
  if (kind === "tags") return replyJson(res, { name: repository, tags: ["v1"] });
  return replyUnknown(res, "NAME_UNKNOWN");
}

function main(argv: readonly string[]): void {
  const [port, bytesPerSecond] = argv;
  const holdings: Holdings = {
    block: noiseBlock(),
    pace: new Pace(bytesPerSecond === undefined ? Number.POSITIVE_INFINITY : Number(bytesPerSecond), () =>
      performance.now(),
    ),
    manifests: new Map(),
    configs: new Map(),
    blobs: new Map(),
    gets: new Map(),
  };
  const server = createServer((req, res) => {
    answer(holdings, req, res).catch(() => res.destroy());
  });
  server.listen(Number(port), "127.0.0.1", 4096);
}

if (import.meta.main) main(Bun.argv.slice(2));
