import { expect, test } from "bun:test";
import { Turns } from "./turns.ts";

/** Work that says when it begins and waits to be let go on. */
function works(said: string[]): (name: string) => { readonly work: () => Promise<string>; readonly end: () => void } {
  return (name) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = async (): Promise<string> => {
      said.push(`${name} begins`);
      await promise;
      said.push(`${name} ends`);
      return name;
    };
    return { work, end: resolve };
  };
}

test("work of one key runs one at a time, in the order it came; another key waits for none of it", async () => {
  const said: string[] = [];
  const make = works(said);
  const [one, two, three, other] = [make("one"), make("two"), make("three"), make("other")];
  const turns = new Turns<string>();
  const running = [turns.run("k", one.work), turns.run("k", two.work), turns.run("k", three.work)];
  three.end();
  two.end();
  other.end();
  expect(await turns.run("l", other.work)).toBe("other");
  expect(said).toEqual(["one begins", "other begins", "other ends"]);
  one.end();
  expect(await Promise.all(running)).toEqual(["one", "two", "three"]);
  expect(said.slice(3)).toEqual(["one ends", "two begins", "two ends", "three begins", "three ends"]);
});

test("work that fails is its own caller's error, and the next has its turn", async () => {
  const turns = new Turns<string>();
  const failing = turns.run("k", () => Promise.reject(new Error("disk")));
  const next = turns.run("k", () => Promise.resolve("next"));
  expect(await errorOf(failing)).toContain("disk");
  expect(await next).toBe("next");
});

test("work that is asked for while the last one ends waits for it", async () => {
  const turns = new Turns<string>();
  let running = 0;
  const work = async (): Promise<void> => {
    expect(++running).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  };
  const all: Promise<void>[] = [];
  for (let i = 0; i < 50; i++) {
    all.push(turns.run("k", work));
    if (i % 3 === 0) await all[i];
  }
  await Promise.all(all);
});

async function errorOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "nothing", String);
}
