import type { Choice } from "./choice.ts";
import type { ImageSource } from "./ends.ts";
import { failureOf } from "./failure.ts";
import type { RunParts } from "./parts.ts";
import { type ImageTree, type NoTree, readTree } from "./tree.ts";

/** Everything that was chosen of an image. */
export interface ChosenTrees {
  readonly kind: "trees";
  readonly trees: readonly ImageTree[];
}

/** Reads all that was chosen of an image; all of it or nothing. */
export async function readChosen(parts: RunParts, source: ImageSource, choice: Choice): Promise<ChosenTrees | NoTree> {
  const trees: ImageTree[] = [];
  for (const root of choice.roots) {
    const tree = await readRoot(parts, source, root);
    if (tree.kind === "none") return tree;
    trees.push(tree);
  }
  return { kind: "trees", trees };
}

async function readRoot(
  { asking, shelf }: RunParts,
  source: ImageSource,
  root: Choice["roots"][number],
): Promise<ImageTree | NoTree> {
  const body = await shelf.get(source, root);
  switch (body.kind) {
    case "found":
      return await readTree({ source, asking, shelf }, body);
    case "absent": {
      const message = `${source.name} names ${root} and does not have it`;
      return { kind: "none", failure: { kind: "missing", side: "source", message } };
    }
    case "unavailable":
      return { kind: "none", failure: failureOf(body, "source") };
  }
}
