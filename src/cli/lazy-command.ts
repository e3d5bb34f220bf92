import type { Command } from "commander";

/** A command that is loaded when it is wanted, under each name that it can be typed by. */
export interface LazyCommand {
  readonly names: readonly string[];
  readonly load: () => Promise<Command>;
}

/**
 * The commands that typed words are about: the one that the first word names, else all, for help and for what is typed wrongly. A
 * start takes as long as what it loads, and most commands need little of the program.
 */
export async function loadFor(words: readonly string[], commands: readonly LazyCommand[]): Promise<readonly Command[]> {
  const [first = ""] = words;
  const named = commands.filter(({ names }) => names.includes(first));
  return await Promise.all((named.length > 0 ? named : commands).map(({ load }) => load()));
}
