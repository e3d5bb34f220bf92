import type { ImageSource } from "./ends.ts";

/** Does something with each of many, so many at once and no more of them waiting; until the signal, when there is one. */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  act: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      if (signal?.aborted === true) return;
      await act(next.value);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** What tells registries apart, and folders. */
export type Whom = Pick<ImageSource, "name" | "place">;

/** The same with what is asked of several registries, so many at once from each; gives what came of each, in their order. */
export async function eachByRegistry<T, R>(
  items: readonly T[],
  whomOf: (item: T) => Whom,
  atOnce: number,
  act: (item: T) => R | Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const groups = Map.groupBy(items.entries(), ([, item]) => registryOf(whomOf(item)));
  const work = async ([at, item]: readonly [number, T]): Promise<void> => {
    results[at] = await act(item);
  };
  await Promise.all([...groups.values()].map((group) => forEachAtOnce(group, atOnce, work)));
  return results;
}

/** A folder is its own registry. */
export function registryOf({ name, place }: Whom): string {
  return place?.registry ?? name;
}
