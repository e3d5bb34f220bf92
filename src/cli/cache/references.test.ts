import { expect, test } from "bun:test";
import fc from "fast-check";
import type { CacheIo } from "./io.ts";
import { gatherReferences, type GivenReferences, linesOf, type ReferenceList } from "./references.ts";

const digest = `sha256:${"a".repeat(64)}`;

const images = `# what the nodes need
registry.k8s.io/pause:3.9   # the sandbox

nginx
`;

const bad = `quay.io/a/b:v1
Not A Reference
quay.io/UPPER:1
${digest}
`;

function gather(given: Partial<GivenReferences>, stdin = ""): Promise<ReferenceList> {
  const files: Readonly<Record<string, string>> = {
    "images.txt": images,
    "bad.txt": bad,
    "empty.txt": "\n# nothing\n",
  };
  const io: Pick<CacheIo, "readFile" | "readStdin"> = {
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw new Error("no such file");
      return text;
    },
    readStdin: async () => stdin,
  };
  return gatherReferences(io, { words: [], files: [], digests: "refused", ...given });
}

test.each<[Partial<GivenReferences>, string, readonly string[]]>([
  [{ words: ["nginx", "quay.io/a:1"] }, "", ["nginx", "quay.io/a:1"]],
  [{ files: ["images.txt"] }, "", ["registry.k8s.io/pause:3.9", "nginx"]],
  [{ words: ["a"], files: ["images.txt", "-"] }, "b\r\nc", ["a", "registry.k8s.io/pause:3.9", "nginx", "b", "c"]],
  [{ words: ["a", "-", "z"] }, "m\n", ["a", "m", "z"]],
  [{ words: [digest], digests: "taken" }, "", [digest]],
])("%j is read", async (given, stdin, references) => {
  expect(await gather(given, stdin)).toEqual({ kind: "references", references });
});

test.each<[Partial<GivenReferences>, readonly unknown[]]>([
  [{}, ["no reference is given"]],
  [{ files: ["empty.txt"] }, ["no reference is given"]],
  [{ files: ["none.txt"] }, ["none.txt: cannot be read: no such file"]],
  [
    { words: ["A"], files: ["bad.txt"] },
    [
      expect.stringContaining('"A" is not a reference'),
      expect.stringMatching(/^bad.txt:2: "Not A Reference" is not a reference/),
      expect.stringMatching(/^bad.txt:3: .*"UPPER" is not a repository name/),
      expect.stringMatching(/^bad.txt:4: .* is a digest alone/),
    ],
  ],
])("%j is refused with all that is wrong", async (given, problems) => {
  expect(await gather(given)).toEqual({ kind: "bad", problems } as ReferenceList);
});

test("whatever a file holds, its lines are numbered as an editor does and hold no comment, end of line or blank at their ends", () => {
  const piece = fc.constantFrom("a", "nginx:1", "#", " # x", "\n", "\r\n", " ", "\t", "b#c", "\uFEFF");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join("");
      const editorLines = text.split("\n");
      for (const { place, text: line } of linesOf("f", text)) {
        expect(line).toBe(line.trim());
        expect(line).not.toMatch(/(^|\s)#|\n/);
        expect(editorLines[Number(place?.slice(2)) - 1]).toContain(line);
      }
    }),
  );
});
