import type { Problem } from "../config/problem.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import { copiesOf, type ImageCopy, settleCopies } from "../sync/copies.ts";
import type { SyncEntry } from "../sync/plan-input.ts";
import { chooseRepositories, needsCatalog } from "../sync/repositories.ts";
import { chooseTags, needsTagList } from "../sync/tags.ts";
import type { Lists } from "./lists.ts";

/** A part of an entry of which it is not known which images it has, or that has none. `nothing`: its choice left none. */
export interface Gap {
  readonly entry: SyncEntry;
  /** The registry or repository. */
  readonly source: string;
  readonly state: "absent" | "nothing" | "unknown";
  readonly message: string;
}

/** What entries come to: the images, each target once, what is not known of them, and what forbids writing anything. */
export interface Expanded {
  readonly copies: readonly ImageCopy[];
  readonly gaps: readonly Gap[];
  readonly problems: readonly Problem[];
}

/** Asks for the lists that the entries need and chooses. A list that cannot be had is a gap, and stops no other entry. */
export async function expand(lists: Lists, entries: readonly SyncEntry[]): Promise<Expanded> {
  const parts = await Promise.all(entries.map((entry) => expandEntry(lists, entry)));
  const settled = settleCopies(parts.flatMap(({ copies }) => copies));
  return {
    copies: settled.copies,
    gaps: parts.flatMap(({ gaps }) => gaps),
    problems: [...parts.flatMap(({ problems }) => problems), ...settled.problems],
  };
}

const nothing: Expanded = { copies: [], gaps: [], problems: [] };

async function expandEntry(lists: Lists, entry: SyncEntry): Promise<Expanded> {
  const found = await repositoriesOf(lists, entry);
  if ("state" in found) return { ...nothing, gaps: [found] };
  const parts = await Promise.all(found.map((repository) => expandRepository(lists, entry, repository)));
  return {
    copies: parts.flatMap(({ copies }) => copies),
    gaps: parts.flatMap(({ gaps }) => gaps),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

/** The repositories that an entry copies, those that are named and not there among them. */
export async function repositoriesOf(
  lists: Pick<Lists, "repositories">,
  entry: SyncEntry,
): Promise<readonly Repository[] | Gap> {
  const { source } = entry;
  if (source.kind === "repository") return [source.repository];
  const { host, repositories: choice } = source;
  const gap = (state: Gap["state"], message: string): Gap => ({ entry, source: host, state, message });
  const answer = needsCatalog(choice) ? await lists.repositories(host) : undefined;
  if (answer?.kind === "unavailable") return gap("unknown", answer.message);
  if (answer?.kind === "absent") return gap("unknown", `${host} gives no list of its repositories; name them by list`);
  const chosen = chooseRepositories(choice, answer?.repositories);
  if (chosen.kind === "chosen") return [...chosen.names, ...chosen.absent];
  return choice.list.length > 0 ? choice.list : gap("nothing", chosen.reason);
}

async function expandRepository(lists: Lists, entry: SyncEntry, repository: Repository): Promise<Expanded> {
  const tags = await tagsOf(lists, entry, repository);
  const names = "state" in tags ? [] : tags.names;
  const gaps = "state" in tags ? [tags] : [...tags.gaps];
  if (entry.images.kind === "tags" && names.length === 0) return { ...nothing, gaps };
  const copies = copiesOf(entry, repository, names);
  if ("reason" in copies) return { ...nothing, gaps, problems: [{ ...entry.at, message: copies.reason }] };
  return { copies, gaps, problems: [] };
}

interface Tags {
  readonly names: readonly Tag[];
  readonly gaps: readonly Gap[];
}

/** Tags that are listed and not there are among them: each shows as an image that its source does not have. */
async function tagsOf(lists: Lists, entry: SyncEntry, repository: Repository): Promise<Gap | Tags> {
  const { images, source } = entry;
  if (images.kind === "one") return { names: [], gaps: [] };
  const name = `${source.host}/${repository}`;
  const gap = (state: Gap["state"], message: string): Gap => ({ entry, source: name, state, message });
  const answer = needsTagList(images.choice) ? await lists.tags(source.host, repository) : undefined;
  if (answer?.kind === "unavailable") return gap("unknown", answer.message);
  if (answer?.kind === "absent") return gap("absent", `${name} is not there`);
  const chosen = chooseTags(images.choice, answer?.tags);
  if (chosen.kind === "chosen") return { names: [...chosen.names, ...chosen.absent], gaps: [] };
  return { names: images.choice.list, gaps: [gap("nothing", chosen.reason)] };
}
