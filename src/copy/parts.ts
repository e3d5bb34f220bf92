import { Asking, type CopyWorld } from "./asking.ts";
import { ManifestShelf } from "./manifest-shelf.ts";
import { SourceTags } from "./source-tags.ts";

/** What planning and copying share: whom they ask, and what was read already. */
export interface RunParts {
  readonly asking: Asking;
  readonly shelf: ManifestShelf;
  readonly tags: SourceTags;
}

/** The parts of one run, from the plan to the last image. */
export function createParts(world: CopyWorld): RunParts {
  const asking = new Asking(world);
  return { asking, shelf: new ManifestShelf(asking), tags: new SourceTags(asking) };
}
