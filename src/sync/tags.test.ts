import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Tag } from "../reference/repository.ts";
import { tagChoice } from "./entry.ts";
import type { TagsEntry } from "./file.ts";
import { chooseTags, needsTagList } from "./tags.ts";
import { compareVersions, parseVersion } from "./version.ts";

const available = "latest v1.0 v1.1 v1.2.0-rc.1 v1.2 v2.0 3.10 edge 1.27-alpine 1.28-alpine".split(" ") as Tag[];

function choose(tags: TagsEntry, from: readonly Tag[] | undefined = available): string {
  const chosen = chooseTags(tagChoice(tags), from);
  if (chosen.kind === "nothing") return `nothing: ${chosen.reason}`;
  const absent = chosen.absent.length === 0 ? "" : ` without ${chosen.absent.join(" ")}`;
  return chosen.names.join(" ") + absent;
}

test.each<[TagsEntry, string]>([
  [{}, available.join(" ")],
  [{ list: ["v1.0", "edge"] }, "v1.0 edge"],
  [{ list: ["v1.0", "v9"] }, "v1.0 without v9"],
  [{ match: "^v1" }, "v1.0 v1.1 v1.2.0-rc.1 v1.2"],
  [{ match: ["^v1.0$", "ed"] }, "v1.0 edge"],
  [{ match: "^v1", skip: ["*-rc*"] }, "v1.0 v1.1 v1.2"],
  [{ semver: ">=1.1 <3" }, "v1.1 v1.2 v2.0"],
  [{ semver: ">=1.1.0-0 <2" }, "v1.1 v1.2.0-rc.1 v1.2 1.27-alpine 1.28-alpine"],
  [{ newest: 2 }, "v2.0 3.10"],
  [{ newest: 2, semver: "^1" }, "v1.1 v1.2"],
  [{ newest: 1, match: "-alpine$" }, "1.28-alpine"],
  [{ newest: 2, match: "^v1", skip: ["v1.2"] }, "v1.1 v1.2.0-rc.1"],
  [{ newest: 1, list: ["latest"] }, "latest 3.10"],
  [{ newest: 100 }, "v1.0 v1.1 v1.2 v2.0 3.10"],
  [{ list: ["v9"] }, "nothing: none of the listed tags is among its 10 tags"],
  [{ match: "^x" }, "nothing: match leaves none of its 10 tags"],
  [{ match: "^v1", semver: "^2" }, "nothing: semver leaves none of its 10 tags"],
  [{ match: "edge", newest: 3 }, "nothing: newest leaves none of its 10 tags"],
  [{ skip: ["*"] }, "nothing: skip leaves none of its 10 tags"],
  [
    { list: ["v9"], match: "^x" },
    "nothing: none of the listed tags is among its 10 tags, and match leaves none of its 10 tags",
  ],
])("%j chooses %s", (tags, expected) => {
  expect(choose(tags)).toBe(expected);
});

test("of two spellings of one version the later text is the newer, and a tag that is listed twice counts once", () => {
  expect(choose({ newest: 1 }, ["1.2", "v1.2", "1.2.0"] as Tag[])).toBe("v1.2");
  expect(choose({ newest: 2 }, ["1.1", "1.2", "1.2", "1.0"] as Tag[])).toBe("1.1 1.2");
});

test("a source without tags is said to be one", () => {
  expect(choose({}, [])).toBe("nothing: the source has no tags");
  expect(choose({ newest: 1 }, ["edge" as Tag])).toBe("nothing: newest leaves none of its one tag");
});

test("a list alone needs no list of the source's, and without one it is taken at its word", () => {
  expect(chooseTags(tagChoice({ list: [] }), undefined)).toEqual({ kind: "nothing", reason: "no tags are listed" });
  expect(needsTagList(tagChoice({ list: ["a"] }))).toBe(false);
  expect(needsTagList(tagChoice({ list: ["a"], newest: 1 }))).toBe(true);
  expect(needsTagList(tagChoice({}))).toBe(true);
  expect(chooseTags(tagChoice({ list: ["b", "a", "b"] }), undefined)).toEqual({
    kind: "chosen",
    names: ["b", "a"] as Tag[],
    absent: [],
  });
});

const tag = fc.constantFrom(
  ..."latest edge v1.0 v1.1 v1.2 1.2 v1.2-rc.1 2.0.0 2.0.0-beta 3 3.0 10 20240101 a b".split(" "),
) as fc.Arbitrary<Tag>;
const tags = fc.uniqueArray(tag, { maxLength: 12 });
const keys = fc.record(
  {
    list: fc.array(tag, { maxLength: 2 }),
    skip: fc.array(fc.constantFrom("*-rc*", "v*", "?"), { maxLength: 2 }),
    match: fc.constantFrom("^v", "[0-9]", "e"),
    semver: fc.constantFrom("^1", ">=1.2", "*", ">=2.0.0-0"),
    newest: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
);

test("what is chosen is there, each once, in the source's order; and choosing among it changes nothing", () => {
  fc.assert(
    fc.property(keys, tags, (written, from) => {
      const choice = tagChoice(written);
      const chosen = chooseTags(choice, from);
      if (chosen.kind === "nothing") return expect(chosen.reason).not.toBe("");
      expect(chosen.names).toEqual(from.filter((name) => chosen.names.includes(name)));
      expect(chooseTags(choice, chosen.names)).toMatchObject({ kind: "chosen", names: chosen.names });
    }),
  );
});

test("the order of the source's list decides nothing", () => {
  fc.assert(
    fc.property(keys, tags, (written, from) => {
      const [one, other] = [from, from.toReversed()].map((list) => chooseTags(tagChoice(written), list));
      expect(one?.kind === "chosen" && one.names.toSorted()).toEqual(
        other?.kind === "chosen" && other.names.toSorted(),
      );
    }),
  );
});

test("of the newest no more than were asked for, and nothing higher is left out", () => {
  fc.assert(
    fc.property(tags, fc.integer({ min: 1, max: 4 }), (from, newest) => {
      const chosen = chooseTags(tagChoice({ semver: ">=0.0.0-0", newest }), from);
      if (chosen.kind === "nothing") return expect(from.filter((name) => parseVersion(name) !== undefined)).toEqual([]);
      expect(chosen.names.length).toBeLessThanOrEqual(newest);
      const taken = chosen.names.map((name) => parseVersion(name)!);
      for (const left of from.filter((name) => !chosen.names.includes(name))) {
        const version = parseVersion(left);
        if (version !== undefined)
          for (const one of taken) expect(compareVersions(one, version)).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
