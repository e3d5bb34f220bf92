const BLOCK_BYTES = 1 << 20;
const SEED_BYTES = 16;

/** A blob that needs no memory: a block of noise over and over, its first 16 bytes telling it from all others. */
export interface BlobSpec {
  readonly sizeBytes: number;
  readonly seed: number;
}

/** An image of one layer. `manifest` and `config` are the bytes to serve. */
export interface Image {
  readonly repository: string;
  readonly tag: string;
  readonly layer: BlobSpec;
  readonly layerDigest: string;
  readonly manifest: string;
  readonly manifestDigest: string;
  readonly config: string;
  readonly configDigest: string;
}

/** Noise that is the same in every process, so that server and harness agree on digests without sending bytes. */
export function noiseBlock(): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const words = new Uint32Array(block.buffer);
  let state = 0x9e3779b9;
  for (let i = 0; i < words.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state >>> 0;
  }
  return block;
}

/** The blob's bytes in pieces of at most `pieceBytes` (and of a block). The pieces share memory: do not change them. */
export function* pieces(spec: BlobSpec, block: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  const first = block.slice(0, Math.min(pieceBytes, spec.sizeBytes));
  first.set(new TextEncoder().encode(spec.seed.toString().padStart(SEED_BYTES, "0")).subarray(0, first.length));
  yield first;
  for (let sent = first.length; sent < spec.sizeBytes; ) {
    const start = sent % BLOCK_BYTES;
    const length = Math.min(pieceBytes, BLOCK_BYTES - start, spec.sizeBytes - sent);
    yield block.subarray(start, start + length);
    sent += length;
  }
}

/** `sha256:HEX` of the blob. */
export function digestOf(spec: BlobSpec, block: Uint8Array): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const piece of pieces(spec, block, BLOCK_BYTES)) hash.update(piece);
  return `sha256:${hash.digest("hex")}`;
}

/** An image around one layer, OCI image specification 1.1. Different layers make different digests throughout. */
export function makeImage(repository: string, layer: BlobSpec, block: Uint8Array): Image {
  const layerDigest = digestOf(layer, block);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [layerDigest] },
  });
  const configDigest = sha256(config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: configDigest, size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layerDigest, size: layer.sizeBytes }],
  });
  return {
    repository,
    tag: "v1",
    layer,
    layerDigest,
    manifest,
    manifestDigest: sha256(manifest),
    config,
    configDigest,
  };
}

function sha256(text: string): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(text).digest("hex")}`;
}
