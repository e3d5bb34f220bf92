import { parseDigest } from "../../reference/digest.ts";
import { parseReference } from "../../reference/reference.ts";
import type { CacheIo } from "./io.ts";

/** References that may be asked for, or everything that is wrong with what was given. */
export type ReferenceList =
  | { readonly kind: "references"; readonly references: readonly string[] }
  | { readonly kind: "bad"; readonly problems: readonly string[] };

/** What was given on the command line: references, `-` for standard input, and files of them. */
export interface GivenReferences {
  readonly words: readonly string[];
  readonly files: readonly string[];
  /** Whether a digest without a repository is meant by anything. */
  readonly digests: "taken" | "refused";
}

interface Line {
  /** `images.txt:3`, or nothing for what stands on the command line. */
  readonly place: string | undefined;
  readonly text: string;
}

/** Reads all that was given before anything starts, and says all that is wrong with it. */
export async function gatherReferences(
  io: Pick<CacheIo, "readFile" | "readStdin">,
  given: GivenReferences,
): Promise<ReferenceList> {
  const lines: Line[] = [];
  const problems: string[] = [];
  const addFile = async (name: string): Promise<void> => {
    try {
      const isStdin = name === "-";
      lines.push(...linesOf(isStdin ? "stdin" : name, await (isStdin ? io.readStdin() : io.readFile(name))));
    } catch (error) {
      problems.push(`${name}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const word of given.words) {
    if (word === "-") await addFile(word);
    else lines.push({ place: undefined, text: word });
  }
  for (const file of given.files) await addFile(file);
  problems.push(...lines.flatMap((line) => problemOf(line, given.digests) ?? []));
  if (problems.length > 0) return { kind: "bad", problems };
  if (lines.length === 0) return { kind: "bad", problems: ["no reference is given"] };
  return { kind: "references", references: lines.map(({ text }) => text) };
}

/** The references of a file: one a line; blank lines and what follows a `#` at a line's start or after a blank are not read. */
export function linesOf(name: string, text: string): readonly Line[] {
  return text.split("\n").flatMap((line, number) => {
    const bare = line.replace(/^\uFEFF/, "");
    const comment = bare.search(/(^|\s)#/);
    const content = (comment < 0 ? bare : bare.slice(0, comment)).trim();
    return content === "" ? [] : [{ place: `${name}:${number + 1}`, text: content }];
  });
}

function problemOf({ place, text }: Line, digests: GivenReferences["digests"]): string | undefined {
  const before = place === undefined ? "" : `${place}: `;
  const shown = JSON.stringify(text.slice(0, 200));
  if (parseDigest(text) !== undefined) {
    return digests === "taken" ? undefined : `${before}${shown} is a digest alone: write REPOSITORY@DIGEST`;
  }
  const parsed = parseReference(text);
  return "kind" in parsed ? `${before}${shown} is not a reference: ${parsed.reason}` : undefined;
}
