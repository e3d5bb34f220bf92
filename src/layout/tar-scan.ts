import type { ByteSource } from "./bytes.ts";
import { type PaxFacts, parsePax } from "./pax.ts";
import { paddingAfter, parseTarHeader, type TarHeader, type TarRefusal, tarBlockBytes } from "./tar-header.ts";

/** One entry of a tar, where its data lies, and where the next one begins. */
export type TarItem =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly offset: number;
      readonly sizeBytes: number;
      readonly next: number;
    }
  /** `target` as it stands there, unchecked: from the top of the tar for a hard link, from the link's folder for a soft one. */
  | {
      readonly kind: "link";
      readonly path: string;
      readonly target: string;
      readonly isHard: boolean;
      readonly next: number;
    }
  | { readonly kind: "folder"; readonly path: string; readonly next: number };

const extensionMaxBytes = 1024 * 1024;
const itemsMax = 200_000;

/**
 * Yields the entries of a tar by one pass over its headers; data is skipped. A refusal is the last thing it yields: what is
 * no tar, is cut, leaves the folder (`..`, absolute), is sparse or a device. Ends without a word at the end mark.
 */
export async function* scanTar(source: ByteSource, signal: AbortSignal): AsyncGenerator<TarItem | TarRefusal> {
  let at = 0;
  let facts: PaxFacts = {};
  for (let count = 0; at + tarBlockBytes <= source.sizeBytes; count++) {
    signal.throwIfAborted();
    if (count === itemsMax) return yield refusedAt(at, `it has more than ${itemsMax} entries`);
    const header = parseTarHeader(await source.read(at, tarBlockBytes));
    if (header.kind === "end") return;
    if (header.kind === "refused") return yield refusedAt(at, header.reason);
    const extension = await readExtension(source, header, at);
    const item = extension === undefined ? itemOf(header, facts, at) : { ...extension, next: afterData(header, at) };
    if (item.kind === "refused") return yield refusedAt(at, item.reason);
    if (item.next - padding(item) > source.sizeBytes) return yield refusedAt(at, "it is cut: its data ends too early");
    if (item.kind === "extension") facts = Object.assign({}, facts, item.facts);
    else {
      yield item;
      facts = {};
    }
    at = item.next;
  }
  if (at < source.sizeBytes) yield refusedAt(at, "it is cut: its last header is not whole");
}

interface Extension {
  readonly kind: "extension";
  readonly facts: PaxFacts;
}

/** What a header of a header says, or `undefined` for an entry itself. */
async function readExtension(
  source: ByteSource,
  header: TarHeader,
  at: number,
): Promise<Extension | TarRefusal | undefined> {
  if (!"xgLK".includes(header.type)) return undefined;
  if (header.sizeBytes > extensionMaxBytes) return refused("its extended header is larger than 1 MiB");
  if (at + tarBlockBytes + header.sizeBytes > source.sizeBytes) return refused("it is cut: its header ends too early");
  const data = await source.read(at + tarBlockBytes, header.sizeBytes);
  if (header.type === "L") return { kind: "extension", facts: { path: untilZero(data) } };
  if (header.type === "K") return { kind: "extension", facts: { linkPath: untilZero(data) } };
  const read = parsePax(data);
  if ("kind" in read) return read;
  if (header.type === "x") return { kind: "extension", facts: read };
  return Object.keys(read).length === 0
    ? { kind: "extension", facts: {} }
    : refused("a global header names or sizes every entry");
}

function itemOf(header: TarHeader, facts: PaxFacts, at: number): TarItem | TarRefusal {
  const name = facts.path ?? header.name;
  const path = pathInside(name);
  if (path === undefined) return refused(`the path "${name.slice(0, 200)}" does not stay inside`);
  const sizeBytes = facts.sizeBytes ?? header.sizeBytes;
  const isOldFolder = header.type === "0" && name.endsWith("/");
  switch (isOldFolder ? "5" : header.type) {
    case "0":
    case "7": {
      const offset = at + tarBlockBytes;
      if (path === "") return refused("a file has no name");
      return { kind: "file", path, offset, sizeBytes, next: offset + sizeBytes + paddingAfter(sizeBytes) };
    }
    case "1":
    case "2":
    case "5": {
      if (sizeBytes !== 0) return refused(`the link or folder "${path}" has data`);
      const next = at + tarBlockBytes;
      if (header.type === "5" || isOldFolder) return { kind: "folder", path, next };
      return { kind: "link", path, target: facts.linkPath ?? header.linkName, isHard: header.type === "1", next };
    }
    case "S":
      return refused(`"${path}" is a sparse file, which is not read here`);
    default:
      return refused(`"${path}" is neither file, folder nor link (type ${JSON.stringify(header.type)})`);
  }
}

/**
 * A path without `.` and empty segments; `undefined` when it is absolute, has a `..` or a zero byte. The folder itself is
 * the empty path.
 */
export function pathInside(name: string): string | undefined {
  if (name.startsWith("/") || name.includes("\0")) return undefined;
  const segments = name.split("/").filter((segment) => segment !== "" && segment !== ".");
  return segments.includes("..") ? undefined : segments.join("/");
}

function afterData(header: TarHeader, at: number): number {
  return at + tarBlockBytes + header.sizeBytes + paddingAfter(header.sizeBytes);
}

/** A tar may end right behind its last data: the padding need not be there. */
function padding(item: TarItem | (Extension & { readonly next: number })): number {
  return item.kind === "file" ? paddingAfter(item.sizeBytes) : 0;
}

function untilZero(data: Uint8Array): string {
  const zero = data.indexOf(0);
  return new TextDecoder().decode(zero < 0 ? data : data.subarray(0, zero));
}

function refusedAt(at: number, reason: string): TarRefusal {
  return refused(`entry at byte ${at}: ${reason}`);
}

function refused(reason: string): TarRefusal {
  return { kind: "refused", reason };
}
