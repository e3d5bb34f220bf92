import type { ImageSource } from "../../copy/ends.ts";
import { registryEnd } from "../../copy/registry-end.ts";
import { type SpelledEnd, parseEnd } from "../../copy/spelling.ts";
import type { Failure } from "../../errors/failure.ts";
import type { TargetRefusal } from "../../sync/target.ts";
import type { FilePlaces } from "./file-places.ts";
import type { CopyIo } from "./io.ts";
import { type RepositoryPlace, type SourcePlace, type TargetPlace, usage } from "./place.ts";
import type { NamedRegistries } from "./registries.ts";

/** Opens the ends that a command names, and closes them. */
export class Places implements AsyncDisposable {
  readonly #io: CopyIo;
  readonly #registries: NamedRegistries;
  readonly #signal: AbortSignal;
  /** Loaded when the first folder or archive is named: most copies are between registries. */
  #files: Promise<FilePlaces> | undefined;

  constructor(io: CopyIo, registries: NamedRegistries, signal: AbortSignal) {
    this.#io = io;
    this.#registries = registries;
    this.#signal = signal;
  }

  /** An end to read from. Throws a `Failure` for what is spelled wrongly or cannot be opened. */
  async source(text: string): Promise<SourcePlace> {
    const end = spelled(text);
    if (end.kind !== "registry") return await (await this.#filePlaces()).source(end);
    const { host, repository, tag, digest } = end.reference;
    const source = registryEnd(await this.#registries.of(host), repository);
    const reference = digest ?? tag;
    if (reference === undefined) throw usage(`${text} names no image`);
    return { source, reference, tag, within: { host, repository } };
  }

  /** The repository that is named, or each one that a folder or an archive has images of, to copy all tags. */
  async repositories(text: string): Promise<readonly RepositoryPlace[]> {
    const end = spelled(text);
    return end.kind === "registry" ? [await this.source(text)] : await (await this.#filePlaces()).repositories(end);
  }

  /** All images of a repository, a folder or an archive, to list them. */
  async repository(text: string): Promise<{ readonly source: ImageSource }> {
    const end = spelled(text);
    if (end.kind === "registry") return await this.source(text);
    return { source: await (await this.#filePlaces()).all(end) };
  }

  /**
   * An end to write to. What keeps full names keeps that of the source, unless it is given one; `HOST/PATH/**` is the source's repository
   * with all its segments, as in a sync file.
   */
  async target(text: string, from: Pick<RepositoryPlace, "within">): Promise<TargetPlace> {
    if (text.endsWith("/**") && !/^(?:oci|oci-archive|docker-archive):/.test(text))
      return await this.#mapped(text, from);
    const end = spelled(text);
    if (end.kind !== "registry") return await (await this.#filePlaces()).target(end, from);
    const { host, repository, tag, digest } = end.reference;
    if (digest !== undefined) throw usage(`${text} has a digest: what is copied there has the digest of its source`);
    const target = registryEnd(await this.#registries.of(host), repository);
    return { target, tag: hasTag(text) ? tag : undefined, within: { host, repository } };
  }

  /** Makes what was written to files last, and says what was left as it is because not all of it is there. */
  async finish(outcome: "parts" | "whole"): Promise<readonly string[]> {
    return (await (await this.#files)?.finish(outcome)) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#files)?.[Symbol.asyncDispose]();
  }

  /** How a target names the source's repository is loaded when one does. */
  async #mapped(text: string, { within }: Pick<RepositoryPlace, "within">): Promise<TargetPlace> {
    if (within === undefined) throw usage(`the source says no name of a repository that could stand for ** in ${text}`);
    const { mapRepository, parseTarget } = await import("../../sync/target.ts");
    const pattern = parseTarget(text.replace(/^docker:\/\//, ""), "whole");
    if ("reason" in pattern) throw noTarget(text, pattern);
    const repository = mapRepository(pattern, within.repository);
    if (typeof repository !== "string") throw noTarget(text, repository);
    const { host } = pattern;
    const target = registryEnd(await this.#registries.of(host), repository);
    return { target, tag: undefined, within: { host, repository } };
  }

  #filePlaces(): Promise<FilePlaces> {
    this.#files ??= import("./file-places.ts").then(({ FilePlaces }) => new FilePlaces(this.#io, this.#signal));
    return this.#files;
  }
}

function spelled(text: string): SpelledEnd {
  const end = parseEnd(text);
  if (end.kind === "refused") throw usage(`${JSON.stringify(text)} is no place of images: ${end.reason}`);
  return end;
}

function noTarget(text: string, { reason }: TargetRefusal): Failure {
  return usage(`${JSON.stringify(text)} is no target: ${reason}`);
}

/** Whether a tag is written, where a reference without one would mean `latest`. */
function hasTag(text: string): boolean {
  return /:[^/]*$/.test(text);
}
