import { Failure } from "../errors/failure.ts";
import { type ByteSource, partOf } from "./bytes.ts";
import { pathInside, scanTar, type TarItem } from "./tar-scan.ts";

/** The files of a tar by their paths. */
export interface TarIndex {
  /** The data of a file; `undefined` where there is none. A link is no file. */
  file(path: string): ByteSource | undefined;
  /** As `file`, but a link is followed once, to a file of the same tar: `docker save` shares layers so. */
  fileOrLinked(path: string): ByteSource | undefined;
}

type Held = Exclude<TarItem, { readonly kind: "folder" }>;

/**
 * Reads where everything lies in a tar. Throws a `Failure` (MANIFEST_INVALID) that names file and place for a tar that is
 * not read here: see `scanTar`; also when one path stands there twice, unless it names its content.
 */
export async function indexTar(tar: ByteSource, signal: AbortSignal): Promise<TarIndex> {
  const held = new Map<string, Held>();
  for await (const item of scanTar(tar, signal)) {
    if (item.kind === "refused") throw notRead(tar, item.reason);
    if (item.kind === "folder") continue;
    if (!held.has(item.path)) held.set(item.path, item);
    else if (!item.path.startsWith("blobs/")) throw notRead(tar, `"${item.path}" stands there twice`);
  }
  const dataOf = (item: Held | undefined): ByteSource | undefined =>
    item?.kind === "file" ? partOf(tar, item) : undefined;
  return {
    file: (path) => dataOf(held.get(path)),
    fileOrLinked(path) {
      const item = held.get(path);
      if (item?.kind !== "link") return dataOf(item);
      const target = linkedPath(item);
      return target === undefined ? undefined : dataOf(held.get(target));
    },
  };
}

/** Where a link leads inside of the tar; `undefined` when it leads out of it. */
function linkedPath(link: Extract<TarItem, { readonly kind: "link" }>): string | undefined {
  if (link.isHard || link.target.startsWith("/")) return pathInside(link.target);
  const segments = link.path.split("/").slice(0, -1);
  for (const segment of link.target.split("/")) {
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return pathInside(segments.join("/"));
}

function notRead(tar: ByteSource, reason: string): Failure {
  return new Failure({ code: "MANIFEST_INVALID", message: `${tar.name} is no archive that can be read: ${reason}` });
}
