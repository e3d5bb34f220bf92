import { digestOf } from "./content.ts";
import type { RecordedRequest } from "./http-wire.ts";
import type { ScriptedReply } from "./scripted-reply.ts";
import type { ScriptedUpstream } from "./scripted-upstream.ts";

/** What a target is different in. */
export interface UploadTargetOptions {
  /** What it answers as the `Location` of a path with its query. */
  readonly location?: (pathAndQuery: string) => string;
  /** What it says of how much it has; `undefined` says nothing. */
  readonly range?: (heldBytes: number) => string | undefined;
  /** Headers beside, of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** It answers this, if anything, in place of what is right. */
  readonly instead?: (request: RecordedRequest) => ScriptedReply | undefined;
}

/** A repository that takes uploads, as distribution does: each answer names the place of the next request, which holds only then. */
export interface UploadTarget {
  /** What was completed, by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** Sessions that are neither completed nor cancelled. */
  readonly open: ReadonlyMap<string, Buffer>;
}

/** Makes a scripted upstream take uploads to `/v2/NAME/blobs/uploads/`. */
export function takeUploads(upstream: ScriptedUpstream, name: string, options: UploadTargetOptions = {}): UploadTarget {
  const blobs = new Map<string, Buffer>();
  const open = new Map<string, Buffer>();
  const root = `/v2/${name}/blobs/uploads/`;
  const range = options.range ?? ((heldBytes: number) => `0-${Math.max(0, heldBytes - 1)}`);
  let sessions = 0;

  function goOn(status: number, path: string): ScriptedReply {
    const heldBytes = open.get(path)?.length ?? 0;
    const place = `${path}?_state=a%2Fb${heldBytes}`;
    const said = range(heldBytes);
    const headers = { ...options.headers, Location: options.location?.(place) ?? place };
    return { status, headers: said === undefined ? headers : { ...headers, Range: said } };
  }
  function take(path: string, request: RecordedRequest): ScriptedReply {
    const held = open.get(path);
    if (held === undefined) return { status: 404, body: `{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}` };
    if (request.method === "GET") return goOn(204, path);
    const said = /^([0-9]+)-/.exec(request.headers.get("content-range") ?? "")?.[1];
    const isAtItsEnd =
      request.target.includes(`_state=a%2Fb${held.length}`) && Number(said ?? held.length) === held.length;
    if (!isAtItsEnd) return { status: 416, body: `{"errors":[{"code":"RANGE_INVALID"}]}` };
    if (request.method === "DELETE") {
      open.delete(path);
      return { status: 204 };
    }
    open.set(path, Buffer.concat([held, request.bytes]));
    return request.method === "PATCH" ? goOn(202, path) : complete(path, request);
  }
  function complete(path: string, request: RecordedRequest): ScriptedReply {
    const digest = new URL(request.target, "http://x").searchParams.get("digest") ?? "";
    const isWhole = request.bytes.length === Number(request.headers.get("content-length"));
    const bytes = open.get(path);
    if (!isWhole || bytes === undefined) return { status: 500 };
    if (digestOf(bytes) !== digest) return { status: 400, body: `{"errors":[{"code":"DIGEST_INVALID"}]}` };
    open.delete(path);
    blobs.set(digest, bytes);
    upstream.on("HEAD", `/v2/${name}/blobs/${digest}`, { body: bytes });
    return { status: 201, headers: { ...options.headers, Location: `/v2/${name}/blobs/${digest}` } };
  }

  upstream.on("POST", root, (request) => {
    const instead = options.instead?.(request);
    if (instead !== undefined) return instead;
    sessions += 1;
    const path = `${root}${sessions}`;
    open.set(path, Buffer.alloc(0));
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      upstream.on(method, path, (request) => options.instead?.(request) ?? take(path, request));
    }
    return goOn(202, path);
  });
  return { blobs, open };
}
