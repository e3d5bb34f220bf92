import { z } from "zod";
import * as scalar from "../../config/scalars.ts";
import type { Shape } from "../../config/upstream-schema.ts";
import { compileExpression } from "../pattern.ts";
import { parseRange } from "../range.ts";
import { readable } from "../readable.ts";

/** What `skopeo sync --src yaml` reads: registries by host. */
export type SkopeoFile = Readonly<Record<string, SkopeoRegistry | null>>;

/** The images of one registry, and how it is reached. */
export interface SkopeoRegistry {
  /** Tags and digests by repository; all tags where there are none. */
  readonly images?: Readonly<Record<string, readonly string[] | null>> | null | undefined;
  readonly "images-by-tag-regex"?: Readonly<Record<string, string>> | null | undefined;
  readonly "images-by-semver"?: Readonly<Record<string, string>> | null | undefined;
  readonly credentials?: SkopeoCredentials | null | undefined;
  readonly "tls-verify"?: boolean | undefined;
  readonly "cert-dir"?: string | undefined;
}

/** A login that stands in the file itself. */
interface SkopeoCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const text = z.string({ error: "must be a text" });

const registry = z.strictObject({
  images: z.record(z.string(), z.array(text).nullable()).nullish(),
  "images-by-tag-regex": z.record(z.string(), readable(compileExpression, "a regular expression")).nullish(),
  "images-by-semver": z.record(z.string(), readable(parseRange, "a range of versions")).nullish(),
  credentials: z
    .strictObject({ username: text.optional(), password: text.optional() } satisfies Shape<SkopeoCredentials>)
    .nullish(),
  "tls-verify": scalar.flag.optional(),
  "cert-dir": text.optional(),
} satisfies Shape<SkopeoRegistry>);

/** The schema of the file. */
export const skopeoSchema: z.ZodType<SkopeoFile> = z.record(z.string(), registry.nullable());

/** The same as JSON Schema, for the names of keys. */
export function skopeoJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(skopeoSchema, { io: "input" }) };
}
