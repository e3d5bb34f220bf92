import { tmpdir } from "node:os";
import { resolve } from "node:path";
import type { ImageSource, ImageTarget } from "../../copy/ends.ts";
import { Failure } from "../../errors/failure.ts";
import { openArchiveWriter } from "../../layout/archive-sink.ts";
import { openDockerWriter } from "../../layout/docker-write.ts";
import { openLayoutWriter } from "../../layout/folder-sink.ts";
import { formatRepositoryName, isSameRepository, type RepositoryName } from "../../layout/image-name.ts";
import type { ImageSet } from "../../layout/image-set.ts";
import { openArchive, openLayout } from "../../layout/open.ts";
import type { ImageWriter } from "../../layout/writer.ts";
import { parseReference } from "../../reference/reference.ts";
import { parseTag, type Tag } from "../../reference/repository.ts";
import type { CopyIo } from "./io.ts";
import { type FileEnd, type RepositoryPlace, type SourcePlace, type TargetPlace, usage } from "./place.ts";

/** What an archive may unpack to. */
const unpackedMaxBytes = 64 * 1024 ** 3;

interface Writing {
  readonly kind: FileEnd["kind"];
  readonly path: string;
  readonly writer: ImageWriter;
  readonly targets: Map<string, ImageTarget>;
}

/** Opens the folders and archives that a command names, and closes them. */
export class FilePlaces implements AsyncDisposable {
  readonly #io: CopyIo;
  readonly #signal: AbortSignal;
  readonly #sets: ImageSet[] = [];
  readonly #writings = new Map<string, Promise<Writing>>();

  constructor(io: CopyIo, signal: AbortSignal) {
    this.#io = io;
    this.#signal = signal;
  }

  /** One to read an image from. Throws a `Failure` where it cannot be opened or has no such image. */
  async source(end: FileEnd): Promise<SourcePlace> {
    const set = await this.#open(end);
    this.#sets.push(set);
    const found =
      end.digest === undefined ? set.find(end.name) : { kind: "found" as const, digest: end.digest, name: end.name };
    if (found.kind !== "found") {
      throw found.kind === "several"
        ? usage(found.reason)
        : new Failure({ code: "NAME_UNKNOWN", message: found.reason });
    }
    const { within, tag } = namedBy(found.name);
    return { source: set.source(undefined), reference: found.digest, tag, within };
  }

  /** All images of one, to list them. */
  async all(end: FileEnd): Promise<ImageSource> {
    const set = await this.#open(end);
    this.#sets.push(set);
    return set.source(namedBy(end.name).within);
  }

  /** Each repository that one has images of; the one that is named, where one is. */
  async repositories(end: FileEnd): Promise<readonly RepositoryPlace[]> {
    const set = await this.#open(end);
    this.#sets.push(set);
    const { within: named } = namedBy(end.name);
    if (end.digest !== undefined || (end.name !== undefined && named === undefined))
      throw usage("nothing but a repository stands behind the path where all of its tags are meant");
    const all = set.repositories.filter((within) => named === undefined || isSameRepository(within, named));
    if (all.length === 0) {
      const message = `${set.name} has no tags${named === undefined ? "" : ` of ${formatRepositoryName(named)}`}`;
      throw new Failure({ code: "NAME_UNKNOWN", message });
    }
    return all.map((within) => ({ source: set.source(within), within }));
  }

  /** One to write to. It keeps the full name of the source, unless it is given one. */
  async target(end: FileEnd, from: Pick<RepositoryPlace, "within">): Promise<TargetPlace> {
    if (end.digest !== undefined)
      throw usage("a target has no digest: what is copied there has the digest of its source");
    const path = this.#path(end.path);
    const opening = this.#writings.get(path) ?? this.#begin(end.kind, path);
    this.#writings.set(path, opening);
    const { writer, targets } = await opening;
    const named = namedBy(end.name);
    const within = end.name === undefined ? from.within : named.within;
    const key = within === undefined ? "" : formatRepositoryName(within);
    const target = targets.get(key) ?? writer.target(within);
    targets.set(key, target);
    return { target, tag: named.tag, within };
  }

  /**
   * Makes what was written last. An archive becomes a file only when all of it is there; until then the same command goes on from
   * `FILE.part`. Says what was left so.
   */
  async finish(outcome: "parts" | "whole"): Promise<readonly string[]> {
    const left: string[] = [];
    for (const writing of await Promise.all(this.#writings.values())) {
      const { kind, path, writer } = writing;
      if (kind === "oci" || outcome === "whole") await writer.close();
      else if (kind === "oci-archive")
        left.push(`${path} is not written: ${path}.part stays, and the same command goes on from it`);
      else left.push(`${path} is not written`);
    }
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const writings = await Promise.allSettled(this.#writings.values());
    for (const writing of writings)
      if (writing.status === "fulfilled") await writing.value.writer[Symbol.asyncDispose]();
    for (const set of this.#sets) await set[Symbol.asyncDispose]();
  }

  #open({ kind, path }: FileEnd): Promise<ImageSet> {
    const file = this.#path(path);
    if (kind === "oci") return openLayout(file, this.#signal);
    return openArchive(file, kind, { signal: this.#signal, temporaryFolder: tmpdir(), unpackedMaxBytes });
  }

  async #begin(kind: FileEnd["kind"], path: string): Promise<Writing> {
    return { kind, path, writer: await this.#writer(kind, path), targets: new Map() };
  }

  #writer(kind: FileEnd["kind"], path: string): Promise<ImageWriter> {
    switch (kind) {
      case "oci":
        return openLayoutWriter(path, { signal: this.#signal, clock: this.#io.clock });
      case "oci-archive":
        return openArchiveWriter(path, this.#signal);
      case "docker-archive":
        return openDockerWriter(path, { unpackedMaxBytes });
    }
  }

  #path(path: string): string {
    return resolve(this.#io.cwd, path);
  }
}

/** What the name of an image in a layout says: a tag, or a repository with one. */
function namedBy(name: string | undefined): {
  readonly within: RepositoryName | undefined;
  readonly tag: Tag | undefined;
} {
  if (name === undefined) return { within: undefined, tag: undefined };
  const tag = parseTag(name);
  if (tag !== undefined) return { within: undefined, tag };
  const reference = parseReference(name);
  if ("kind" in reference) return { within: undefined, tag: undefined };
  return { within: { host: reference.host, repository: reference.repository }, tag: reference.tag };
}
