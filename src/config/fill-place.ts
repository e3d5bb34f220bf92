import { type Draft, fromFile } from "./draft.ts";
import type { Environment } from "./environment.ts";
import type { S3Entry } from "./file.ts";
import { createFindings, type Path } from "./problem.ts";
import { allParts } from "./prune.ts";
import { s3Of } from "./s3.ts";
import { isBucketText } from "./s3-url.ts";
import type { FillPlace } from "./settings.ts";

/** A place to put blobs: a bucket, or a folder. What is wrong with it goes to the draft's findings. */
export function fillPlaceOf(draft: Draft, given: string | S3Entry, at: Path): FillPlace | undefined {
  if (typeof given === "string" && !isBucketText(given)) return { kind: "files", folder: fromFile(draft, given) };
  const bucket = s3Of(draft, given, at);
  return bucket && { kind: "s3", bucket };
}

/** A place that a person named, or what is wrong with it. */
export type NamedPlace = FillPlace | { readonly kind: "refused"; readonly reason: string };

/** A place from the command line, `s3://BUCKET/PREFIX?region=REGION` or a folder, as the configuration file would have it. */
export function namedPlace(text: string, world: { readonly env: Environment; readonly cwd: string }): NamedPlace {
  if (text === "") return { kind: "refused", reason: "it is empty" };
  const findings = createFindings("", () => ({ line: 0, column: 0 }));
  const draft: Draft = {
    ...allParts({ rules: [] }),
    ...world,
    source: undefined,
    overrides: {},
    contents: new Map(),
    findings,
  };
  const place = fillPlaceOf(draft, text, []);
  const [problem] = findings.problems;
  if (problem !== undefined) return { kind: "refused", reason: `it ${problem.message}` };
  return place ?? { kind: "refused", reason: "it is no place for blobs" };
}
