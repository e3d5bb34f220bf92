import type { ImageTarget } from "../copy/ends.ts";
import { type CopyFailure, failureOf } from "../copy/failure.ts";
import type { RunParts } from "../copy/parts.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { ImageCopy } from "../sync/copies.ts";
import { type DeletionSource, tagsToDelete } from "../sync/deletions.ts";
import type { SyncEntry } from "../sync/plan-input.ts";
import { mapRepository } from "../sync/target.ts";
import { backupOf } from "../sync/template.ts";
import type { Ends } from "./ends.ts";
import { type Gap, repositoriesOf } from "./expand.ts";
import type { Lists } from "./lists.ts";

/** A tag of a target that no source of it has. */
export interface Deletion {
  readonly target: ImageTarget;
  readonly tag: Tag;
  /** As people name it. */
  readonly name: string;
}

/** What would be deleted, and where that is not known. */
export interface Deletions {
  readonly deletions: readonly Deletion[];
  readonly gaps: readonly Gap[];
}

/** What deletions are planned with. */
export interface DeletionWorld {
  readonly ends: Ends;
  readonly lists: Pick<Lists, "repositories" | "tags">;
  readonly epochMs: () => number;
}

/** What deletions are planned from. */
export interface DeletionInput {
  readonly entries: readonly SyncEntry[];
  readonly allEntries: readonly SyncEntry[];
  /** What is copied: never deleted. */
  readonly copies: readonly ImageCopy[];
}

/** The tags to delete where an entry asks for it. Nothing in a repository to which something comes whose list cannot be had. */
export async function planDeletions(world: DeletionWorld, input: DeletionInput): Promise<Deletions> {
  if (!input.entries.some((entry) => entry.delete)) return { deletions: [], gaps: [] };
  const flows = (await Promise.all(input.allEntries.map((entry) => flowsOf(world.lists, entry)))).flat();
  const places = new Map<string, Flow>();
  for (const flow of flows) {
    const isAsked = flow.entry.delete && input.entries.includes(flow.entry);
    if (isAsked && flow.target !== undefined) places.set(`${flow.entry.target.host}/${flow.target}`, flow);
  }
  const found = await Promise.all(
    [...places].map(([name, flow]) => deletionsIn(world, { ...input, flows }, name, flow)),
  );
  return { deletions: found.flatMap(({ deletions }) => deletions), gaps: found.flatMap(({ gaps }) => gaps) };
}

/** From where an entry copies to where; without a target it may be anywhere below the entry's path. */
interface Flow {
  readonly entry: SyncEntry;
  readonly source: Repository | undefined;
  readonly target: Repository | undefined;
}

async function flowsOf(lists: DeletionWorld["lists"], entry: SyncEntry): Promise<readonly Flow[]> {
  const repositories = await repositoriesOf(lists, entry);
  if ("state" in repositories) return [{ entry, source: undefined, target: undefined }];
  return repositories.map((source) => {
    const target = mapRepository(entry.target, source);
    return { entry, source, target: typeof target === "string" ? target : undefined };
  });
}

interface Flowing extends DeletionInput {
  readonly flows: readonly Flow[];
}

async function deletionsIn(world: DeletionWorld, input: Flowing, name: string, place: Flow): Promise<Deletions> {
  const { entry, target: repository } = place;
  const none = { deletions: [], gaps: [] };
  if (repository === undefined) return none;
  const { host } = entry.target;
  const keep = (why: string, state: Gap["state"] = "unknown"): Deletions => {
    const message = `nothing in ${name} counts as left over: ${why}`;
    return { deletions: [], gaps: [{ entry, source: name, state, message }] };
  };
  const backup = backupIn(world, input, { host, repository });
  if (backup !== undefined) return keep(`${backup} keeps its backups there`);
  const sources = await sourcesOf(world.lists, input.flows, { host, repository });
  if ("state" in sources) return keep(sources.why, sources.state);
  const held = await world.lists.tags(host, repository);
  if (held.kind === "unavailable") return keep(held.message);
  if (held.kind === "absent") return none;
  const copied = new Set(input.copies.flatMap(({ target }) => tagIn(target, { host, repository })));
  const tags = tagsToDelete(held.tags, sources).filter((tag) => !copied.has(tag));
  const target = await world.ends.of(host, repository);
  return { deletions: tags.map((tag) => ({ target, tag, name: `${name}:${tag}` })), gaps: [] };
}

interface Place {
  readonly host: RegistryHost;
  readonly repository: Repository;
}

function tagIn(target: ImageCopy["target"], { host, repository }: Place): readonly Tag[] {
  return target.host === host && target.repository === repository && target.tag !== undefined ? [target.tag] : [];
}

/** Who copies to a place and what its source has; why it is not known, in words. */
async function sourcesOf(
  lists: DeletionWorld["lists"],
  flows: readonly Flow[],
  { host, repository }: Place,
): Promise<readonly DeletionSource[] | (Pick<Gap, "state"> & { readonly why: string })> {
  const sources: DeletionSource[] = [];
  for (const { entry, source, target } of flows) {
    if (entry.target.host !== host || (target !== undefined && target !== repository)) continue;
    if (source === undefined || target === undefined) {
      const { path } = entry.target;
      if (path !== "" && path !== repository && !repository.startsWith(`${path}/`)) continue;
      return {
        state: "unknown",
        why: `${entry.source.host}, from which images come there, gave no list of repositories`,
      };
    }
    const listed = await lists.tags(entry.source.host, source);
    const name = `${entry.source.host}/${source}`;
    if (listed.kind === "absent") return { state: "absent", why: `${name} is not there` };
    if (listed.kind === "unavailable") return { state: "unknown", why: `the tags of ${name} could not be listed` };
    sources.push({ entry, sourceTags: listed.tags });
  }
  return sources;
}

/** The entry that keeps its backups in a repository under names of their own, which cannot be told from tags there. */
function backupIn(world: DeletionWorld, { copies }: DeletionInput, { host, repository }: Place): string | undefined {
  for (const { entry, target } of copies) {
    if (entry.backup === undefined) continue;
    const kept = backupOf(entry.backup, target, world.epochMs());
    if ("reason" in kept || kept.host !== host || kept.repository !== repository) continue;
    if (target.host !== host || target.repository !== repository) return entry.at.path;
  }
  return undefined;
}

/** What became of a deletion. `absent`: it was gone already. */
export interface DeletionRow {
  readonly name: string;
  readonly state: "absent" | "deleted" | "failed";
  readonly failure: CopyFailure | undefined;
}

/** Deletes tags one by one, each by its name, so that others of the same image stay. */
export async function carryOutDeletions(
  { asking }: Pick<RunParts, "asking">,
  deletions: readonly Deletion[],
  onRow: (row: DeletionRow) => void = () => {},
): Promise<readonly DeletionRow[]> {
  const rows = deletions.map(async ({ target, tag, name }): Promise<DeletionRow> => {
    const answer = await asking.ask(target, (limits) => target.deleteManifest(tag, limits));
    const state = answer.kind === "found" ? "deleted" : answer.kind === "absent" ? "absent" : "failed";
    const failure = answer.kind === "unavailable" ? failureOf(answer, "target") : undefined;
    const row: DeletionRow = { name, state, failure };
    onRow(row);
    return row;
  });
  return await Promise.all(rows);
}
