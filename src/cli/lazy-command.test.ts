import { expect, test } from "bun:test";
import { commands } from "./commands.ts";
import { loadFor } from "./lazy-command.ts";

async function loadedFor(...words: readonly string[]): Promise<readonly string[]> {
  return (await loadFor(words, commands)).map((command) => command.name());
}

test.each(commands.map(({ names, load }) => [names.join(), names, load] as const))(
  "%s is loaded by exactly the names that it has",
  async (_, names, load) => {
    const command = await load();
    expect([command.name(), ...command.aliases()]).toEqual([...names]);
  },
);

test("no two commands have the same name", () => {
  const names = commands.flatMap((command) => command.names);
  expect(names.length).toBe(new Set(names).size);
});

test.each([
  [["copy", "a", "b"], ["copy"]],
  [["cp", "--help"], ["copy"]],
  [["serve"], ["serve"]],
])("%j needs %j alone", async (words, names) => {
  expect(await loadedFor(...words)).toEqual(names);
});

test.each([[[]], [["--help"]], [["help", "copy"]], [["cpoy"]], [["--version"]]])(
  "%j needs all of them",
  async (words) => {
    expect(await loadedFor(...words)).toHaveLength(commands.length);
  },
);
