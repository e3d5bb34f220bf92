/** How a bucket answers: as one that is well, with 503, or not at all. */
export type BucketMood = "serves" | "fails" | "hangs";

/** A bucket's folder of blobs at `URL/sha256:HEX`, over plain HTTP on loopback. */
export interface Bucket extends AsyncDisposable {
  readonly url: string;
  /** Digests that were asked for by GET and were there, in order. */
  readonly given: readonly string[];
}

/** Serves these blobs, and answers 404 for all others. */
export function startBucket(blobs: ReadonlyMap<string, Uint8Array<ArrayBuffer>>, mood: BucketMood = "serves"): Bucket {
  const given: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch: (request) => {
      if (mood === "fails") return new Response("unwell", { status: 503 });
      if (mood === "hangs") return new Promise<Response>(() => undefined);
      const digest = new URL(request.url).pathname.split("/").at(-1) ?? "";
      const body = blobs.get(digest);
      if (body === undefined) return new Response("NoSuchKey", { status: 404 });
      if (request.method === "GET") given.push(digest);
      return new Response(body, { headers: { "content-type": "binary/octet-stream" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/containers/images`,
    given,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
