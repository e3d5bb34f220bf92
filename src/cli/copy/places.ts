import { tmpdir } from "node:os";
import { resolve } from "node:path";
import type { ImageSource, ImageTarget } from "../../copy/ends.ts";
import { registryEnd } from "../../copy/registry-end.ts";
import { type SpelledEnd, parseEnd } from "../../copy/spelling.ts";
import { Failure } from "../../errors/failure.ts";
import { openArchiveWriter } from "../../layout/archive-sink.ts";
import { openDockerWriter } from "../../layout/docker-write.ts";
import { openLayoutWriter } from "../../layout/folder-sink.ts";
import type { RepositoryName } from "../../layout/image-name.ts";
import type { ImageSet } from "../../layout/image-set.ts";
import { openArchive, openLayout } from "../../layout/open.ts";
import type { ImageWriter } from "../../layout/writer.ts";
import type { Digest } from "../../reference/digest.ts";
import { parseReference } from "../../reference/reference.ts";
import { parseTag, type Tag } from "../../reference/repository.ts";
import type { CopyIo } from "./io.ts";
import type { NamedRegistries } from "./registries.ts";

/** What an archive may unpack to. */
const unpackedMaxBytes = 64 * 1024 ** 3;

/** An image, or all of a repository, to copy from. */
export interface SourcePlace {
  readonly source: ImageSource;
  /** What the person named; the digest where both stand there. */
  readonly reference: Tag | Digest;
  readonly tag: Tag | undefined;
  /** Its repository, for targets that keep full names. */
  readonly within: RepositoryName | undefined;
}

/** Where to copy to. */
export interface TargetPlace {
  readonly target: ImageTarget;
  /** The tag that the person named. */
  readonly tag: Tag | undefined;
}

type FileEnd = Exclude<SpelledEnd, { readonly kind: "registry" }>;

interface Writing {
  readonly kind: FileEnd["kind"];
  readonly path: string;
  readonly writer: ImageWriter;
  readonly targets: Map<string, ImageTarget>;
}

/** Opens the ends that a command names, and closes them. */
export class Places implements AsyncDisposable {
  readonly #io: CopyIo;
  readonly #registries: NamedRegistries;
  readonly #signal: AbortSignal;
  readonly #sets: ImageSet[] = [];
  readonly #writings = new Map<string, Promise<Writing>>();

  constructor(io: CopyIo, registries: NamedRegistries, signal: AbortSignal) {
    this.#io = io;
    this.#registries = registries;
    this.#signal = signal;
  }

  /** An end to read from. Throws a `Failure` for what is spelled wrongly or cannot be opened. */
  async source(text: string): Promise<SourcePlace> {
    const end = spelled(text);
    if (end.kind !== "registry") return await this.#fileSource(end);
    const { host, repository, tag, digest } = end.reference;
    const source = registryEnd(await this.#registries.of(host), repository);
    const reference = digest ?? tag;
    if (reference === undefined) throw usage(`${text} names no image`);
    return { source, reference, tag, within: { host, repository } };
  }

  /** All images of a repository, a folder or an archive, to list them. */
  async repository(text: string): Promise<Pick<SourcePlace, "source">> {
    const end = spelled(text);
    if (end.kind === "registry") return await this.source(text);
    const set = await this.#open(end);
    this.#sets.push(set);
    return { source: set.source(namedBy(end.name).within) };
  }

  /** An end to write to. What keeps full names keeps that of the source, unless it is given one. */
  async target(text: string, from: SourcePlace): Promise<TargetPlace> {
    const end = spelled(text);
    if (end.kind !== "registry") return await this.#fileTarget(end, from);
    const { host, repository, tag, digest } = end.reference;
    if (digest !== undefined) throw usage(`${text} has a digest: what is copied there has the digest of its source`);
    return { target: registryEnd(await this.#registries.of(host), repository), tag: hasTag(text) ? tag : undefined };
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

  async #fileSource(end: FileEnd): Promise<SourcePlace> {
    const set = await this.#open(end);
    this.#sets.push(set);
    const found =
      end.digest === undefined ? set.find(end.name) : { kind: "found" as const, digest: end.digest, name: end.name };
    if (found.kind !== "found") throw new Failure({ code: "NAME_UNKNOWN", message: found.reason });
    const { within, tag } = namedBy(found.name);
    return { source: set.source(undefined), reference: found.digest, tag, within };
  }

  #open({ kind, path }: FileEnd): Promise<ImageSet> {
    const file = this.#path(path);
    if (kind === "oci") return openLayout(file, this.#signal);
    return openArchive(file, kind, { signal: this.#signal, temporaryFolder: tmpdir(), unpackedMaxBytes });
  }

  async #fileTarget(end: FileEnd, from: SourcePlace): Promise<TargetPlace> {
    if (end.digest !== undefined)
      throw usage("a target has no digest: what is copied there has the digest of its source");
    const path = this.#path(end.path);
    const opening = this.#writings.get(path) ?? this.#begin(end.kind, path);
    this.#writings.set(path, opening);
    const { writer, targets } = await opening;
    const named = namedBy(end.name);
    const within = end.name === undefined ? from.within : named.within;
    const key = within === undefined ? "" : `${within.host}/${within.repository}`;
    const target = targets.get(key) ?? writer.target(within);
    targets.set(key, target);
    return { target, tag: named.tag };
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

function spelled(text: string): SpelledEnd {
  const end = parseEnd(text);
  if (end.kind === "refused") throw usage(`${JSON.stringify(text)} is no place of images: ${end.reason}`);
  return end;
}

/** Whether a tag is written, where a reference without one would mean `latest`. */
function hasTag(text: string): boolean {
  return /:[^/]*$/.test(text);
}

function usage(message: string): Failure {
  return new Failure({ code: "USAGE", message });
}
