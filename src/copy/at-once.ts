import type { ImageSource } from "./ends.ts";

/** Does something with each of many, so many at once and no more of them waiting; until the signal, when there is one. */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  act: (item: T) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      if (signal?.aborted === true) return;
      const acting = act(next.value);
      if (acting instanceof Promise) await acting;
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
  const work = ([at, item]: readonly [number, T]): Promise<void> | undefined => {
    const made = act(item);
    if (made instanceof Promise) return made.then((result) => void (results[at] = result));
    results[at] = made;
    return undefined;
  };
  await Promise.all([...groups.values()].map((group) => forEachAtOnce(group, atOnce, work)));
  return results;
}

/** A folder is its own registry. */
export function registryOf({ name, place }: Whom): string {
  return place?.registry ?? name;
}
