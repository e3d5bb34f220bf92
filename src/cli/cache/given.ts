import { exitStatus } from "../exit.ts";
import type { CacheIo } from "./io.ts";
import { gatherReferences, type GivenReferences } from "./references.ts";

/** Does something with the references that were given; or says all that is wrong with them, as typed wrongly. */
export async function withReferences(
  io: CacheIo,
  given: GivenReferences,
  act: (references: readonly string[]) => Promise<void>,
): Promise<void> {
  const list = await gatherReferences(io, given);
  if (list.kind === "references") return act(list.references);
  for (const problem of list.problems) io.stderr(`${problem}\n`);
  io.setStatus(exitStatus.usage);
}
