import { z } from "zod";
import { asFailure } from "../errors/failure.ts";
import { collect } from "../mirror/keeping/collect.ts";
import type { Keeping } from "../mirror/keeping/keeping.ts";
import { list } from "../mirror/keeping/list.ts";
import { refresh } from "../mirror/keeping/refresh.ts";
import { remove } from "../mirror/keeping/remove.ts";
import { verify } from "../mirror/keeping/verify.ts";
import { warm } from "../mirror/keeping/warm.ts";
import { why } from "../mirror/keeping/why.ts";
import { parseDigest } from "../reference/digest.ts";
import { parsePlatform } from "../reference/platform.ts";
import { parseReference } from "../reference/reference.ts";
import { ndjsonReply } from "./ndjson.ts";
import { errorReply } from "./replies.ts";

/** What the admin API works on: asked anew for each request, so that a reload counts from the next one on. */
export interface AdminParts {
  readonly keeping: () => Keeping;
  /** Reports what should not have happened. */
  readonly report: (message: string) => void;
}

/** A request to the admin API in, its answer out; no port. */
export type AdminHandler = (request: Request) => Promise<Response>;

type Run = (keeping: Keeping, signal: AbortSignal) => AsyncGenerator<object, void, void>;
type Operation = (body: unknown) => { readonly run: Run } | { readonly problem: string };

const referencesMax = 100_000;
const reference = z
  .string()
  .max(1200)
  .refine((text) => parseDigest(text) !== undefined || !("kind" in parseReference(text)), "is not a reference");
const references = z.array(reference).min(1).max(referencesMax);
const platform = z.string().transform((text, context) => {
  const parsed = parsePlatform(text);
  if (parsed === undefined) context.addIssue({ code: "custom", message: "is not os/architecture[/variant]" });
  return parsed ?? z.NEVER;
});

const warmBody = z.strictObject({
  references,
  platforms: z.array(platform).max(100).default([]),
  referrers: z.boolean().default(false),
});
const listBody = z.strictObject({ prefix: z.string().max(1200).default("") });
const removeBody = z.strictObject({ references, all: z.boolean().default(false) });
const refreshBody = z.strictObject({ references });
const verifyBody = z.strictObject({
  repair: z.boolean().default(false),
  bytesPerSecond: z.int().min(1).default(100_000_000),
});
const collectBody = z.strictObject({ dryRun: z.boolean().default(false) });
const whyBody = z.strictObject({ references });

const operations: ReadonlyMap<string, Operation> = new Map([
  [
    "/v1/cache/warm",
    operation(warmBody, (keeping, { references, ...options }, signal) => warm(keeping, references, options, signal)),
  ],
  ["/v1/cache/ls", operation(listBody, (keeping, { prefix }, signal) => list(keeping, prefix, signal))],
  [
    "/v1/cache/rm",
    operation(removeBody, (keeping, { references, all }, signal) => remove(keeping, references, { all }, signal)),
  ],
  [
    "/v1/cache/refresh",
    operation(refreshBody, (keeping, { references }, signal) => refresh(keeping, references, signal)),
  ],
  ["/v1/cache/verify", operation(verifyBody, verify)],
  ["/v1/cache/gc", operation(collectBody, collect)],
  ["/v1/cache/why", operation(whyBody, (keeping, { references }, signal) => why(keeping, references, signal))],
]);

/**
 * The admin API: `POST /v1/cache/OPERATION` with a JSON body, answered by the operation's events as NDJSON. It asks nobody
 * who they are, so it is only ever put behind a Unix socket of the owner's.
 */
export function createAdmin({ keeping, report }: AdminParts): AdminHandler {
  return async (request) => {
    const { pathname } = new URL(request.url);
    const found = operations.get(pathname);
    if (found === undefined) return errorReply(404, "UNSUPPORTED", `this version has no operation ${pathname}`);
    if (request.method !== "POST") {
      return errorReply(405, "UNSUPPORTED", "operations take POST with a JSON body", { Allow: "POST" });
    }
    const body: unknown = await request.json().catch(() => undefined);
    if (body === undefined) return errorReply(400, "UNSUPPORTED", "the body is not JSON");
    const begun = found(body);
    if ("problem" in begun) return errorReply(400, "UNSUPPORTED", begun.problem);
    const stop = new AbortController();
    const failed = (error: unknown): { readonly code: string; readonly message: string } => {
      const { code, message, stack } = asFailure(error, "STORAGE_FAILED", `${pathname} could not go on`);
      report(stack ?? message);
      return { code, message };
    };
    return ndjsonReply(begun.run(keeping(), stop.signal), stop, failed);
  };
}

function operation<Body>(
  schema: z.ZodType<Body>,
  run: (keeping: Keeping, body: Body, signal: AbortSignal) => AsyncGenerator<object, void, void>,
): Operation {
  return (body) => {
    const parsed = schema.safeParse(body);
    if (!parsed.success) return { problem: z.prettifyError(parsed.error).slice(0, 2000) };
    return { run: (keeping, signal) => run(keeping, parsed.data, signal) };
  };
}
