import type { ContentStore } from "../content.ts";
import type { Draft } from "../draft.ts";

/** What goes wrong with a disk, from now on and until it is changed. */
export interface DiskFaults {
  /** Bytes of any draft that fit; more is ENOSPC. */
  roomBytes?: number;
  /** The system's error of `begin`, of reading a draft back, and of publishing it. */
  begin?: string;
  read?: string;
  publish?: string;
  /** Writes wait for this. */
  writable?: Promise<unknown>;
  /** The end of the last write, counted as writes end. */
  writtenBytes?: number;
  /** Drafts that are open now, counted as they come and go. */
  openDrafts?: number;
  /** Called when content has been taken away. */
  onRemove?: () => void;
}

/** A store of content around a real one, whose disk has the faults that a test gives it. */
export function faultyContent(faults: DiskFaults): (inner: ContentStore) => ContentStore {
  return (inner) => ({
    begin: async (digest) => {
      fault(faults.begin);
      faults.openDrafts = (faults.openDrafts ?? 0) + 1;
      return faultyDraft(await inner.begin(digest), faults);
    },
    publish: async (draft, digest) => {
      fault(faults.publish);
      await inner.publish(draft, digest);
    },
    alone: (digest, work) => inner.alone(digest, work),
    held: (digest, sizeBytes) => inner.held(digest, sizeBytes),
    again: (digest) => inner.again(digest),
    stat: (digest) => inner.stat(digest),
    inUse: () => inner.inUse(),
    remove: async (digest) => {
      await inner.remove(digest);
      faults.onRemove?.();
    },
    list: (shard) => inner.list(shard),
    shards: () => inner.shards(),
    sweepDrafts: () => inner.sweepDrafts(),
  });
}

function faultyDraft(inner: Draft, faults: DiskFaults): Draft {
  return {
    path: inner.path,
    write: async (pieces, offset) => {
      const sizeBytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
      const isFull = offset + sizeBytes > (faults.roomBytes ?? Number.POSITIVE_INFINITY);
      await faults.writable;
      fault(isFull ? "ENOSPC" : undefined);
      await inner.write(pieces, offset);
      faults.writtenBytes = offset + sizeBytes;
    },
    writeNow: (pieces, offset) => {
      const endByte = pieces.reduce((sum, piece) => sum + piece.byteLength, offset);
      const isFull = endByte > (faults.roomBytes ?? Number.POSITIVE_INFINITY);
      fault(isFull ? "ENOSPC" : faults.writable && "EAGAIN");
      inner.writeNow(pieces, offset);
      faults.writtenBytes = endByte;
    },
    read: async (offset, length) => {
      fault(faults.read);
      return inner.read(offset, length);
    },
    sync: () => inner.sync(),
    discard: () => inner.discard(),
    close: async () => {
      await inner.close();
      faults.openDrafts = (faults.openDrafts ?? 0) - 1;
    },
  };
}

function fault(code: string | undefined): void {
  if (code !== undefined) throw Object.assign(new Error(`${code}: the disk of this test`), { code });
}
