import {
  CLOUD_NAMES,
  type CloudLocation,
  type CloudName,
  type CloudRanges,
  type CloudTable,
  cloudRanges,
} from "./cloud-ranges.ts";
import compiledIn from "./data/cloud-ranges.json" with { type: "json" };

/**
 * A cloud table as JSON: lists and dates as text, the sorted borders as base64 of their little-endian bytes (every platform this runs
 * on is little-endian), so that nothing is parsed or sorted at start. A location is "CLOUD" or "CLOUD REGION".
 */
export interface CloudSnapshot {
  readonly source: string;
  readonly published: Readonly<Record<CloudName, string>>;
  readonly prefixCounts: Readonly<Record<CloudName, number>>;
  readonly locations: readonly string[];
  readonly v4Starts: string;
  readonly v4Labels: string;
  readonly v6Starts: string;
  readonly v6Labels: string;
}

/** The ranges that are compiled into the program. Decodes anew at every call (a few milliseconds): keep what it returns. */
export function compiledCloudRanges(): CloudRanges {
  return cloudRanges(decodeSnapshot(compiledIn));
}

/** The snapshot of a table; `source` says where its lists come from. */
export function encodeSnapshot(table: CloudTable, source: string): CloudSnapshot {
  const { v4Starts, v4Labels, v6Starts, v6Labels } = table.prefixes;
  return {
    source,
    published: table.published,
    prefixCounts: table.prefixCounts,
    locations: table.locations.map(({ cloud, region }) => (region === undefined ? cloud : `${cloud} ${region}`)),
    v4Starts: base64(v4Starts),
    v4Labels: base64(v4Labels),
    v6Starts: base64(v6Starts),
    v6Labels: base64(v6Labels),
  };
}

/** The table of a snapshot that `encodeSnapshot` made; it is not validated again. */
export function decodeSnapshot(snapshot: CloudSnapshot): CloudTable {
  return {
    published: snapshot.published,
    prefixCounts: snapshot.prefixCounts,
    locations: snapshot.locations.flatMap(parseLocation),
    prefixes: {
      v4Starts: new Uint32Array(bytesOf(snapshot.v4Starts)),
      v4Labels: new Uint16Array(bytesOf(snapshot.v4Labels)),
      v6Starts: new Uint32Array(bytesOf(snapshot.v6Starts)),
      v6Labels: new Uint16Array(bytesOf(snapshot.v6Labels)),
    },
  };
}

function parseLocation(text: string): readonly CloudLocation[] {
  const [name, region] = text.split(" ");
  return CLOUD_NAMES.filter((cloud) => cloud === name).map((cloud) => ({ cloud, region }));
}

function base64(array: Uint32Array | Uint16Array): string {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
}

/** A buffer of its own: views of four bytes need their bytes aligned. */
function bytesOf(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, "base64")).buffer;
}
