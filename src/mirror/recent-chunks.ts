import type { Chunk } from "../store/draft-writer.ts";

/**
 * The newest chunks of a stream, so that readers close behind the write head need no file. Chunks are shared, never
 * copied and never changed.
 */
export class RecentChunks {
  #chunks: Chunk[] = [];
  #sizeBytes = 0;

  get startByte(): number {
    return this.#chunks[0]?.startByte ?? Number.POSITIVE_INFINITY;
  }

  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.bytes.byteLength;
  }

  /** Drops chunks from the oldest on while more than `keepBytes` are held and they end at or before `beforeByte`. */
  trim(keepBytes: number, beforeByte: number): void {
    let drop = 0;
    for (const { startByte, bytes } of this.#chunks) {
      if (this.#sizeBytes <= keepBytes || startByte + bytes.byteLength > beforeByte) break;
      this.#sizeBytes -= bytes.byteLength;
      drop++;
    }
    if (drop > 0) this.#chunks = this.#chunks.slice(drop);
  }

  /** What is there from `offset` up to `endByte`, of one chunk; `undefined` when it was dropped or has not come. */
  read(offset: number, endByte: number): Uint8Array<ArrayBuffer> | undefined {
    if (offset < this.startByte) return undefined;
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i];
      if (chunk === undefined || chunk.startByte > offset) continue;
      const from = offset - chunk.startByte;
      const to = Math.min(chunk.bytes.byteLength, endByte - chunk.startByte);
      if (to <= from) return undefined;
      return from === 0 && to === chunk.bytes.byteLength ? chunk.bytes : chunk.bytes.subarray(from, to);
    }
    return undefined;
  }
}
