/**
 * The runtime at work with nothing of ours around it: `bun bench/bare.ts PORT JOB ARG…`.
 * `redirect BASE` answers 307, `files ROOT` sends files, `memory FILE TYPE` one body held in memory,
 * `fill UPSTREAM DIR` fetches, hashes, writes and streams each blob anew.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";

type Answer = (req: Request) => Response | Promise<Response>;

function pathOf(req: Request): string {
  return req.url.slice(req.url.indexOf("/", 8));
}

function redirect(base: string): Answer {
  return (req) => new Response(null, { status: 307, headers: { location: base + pathOf(req).slice(3) } });
}

function files(root: string): Answer {
  return (req) => {
    const path = pathOf(req);
    return path === "/" ? new Response("ok") : new Response(Bun.file(root + path));
  };
}

function memory(file: string, type: string): Answer {
  const body = readFileSync(file);
  return () => new Response(body, { headers: { "content-type": type } });
}

function fill(upstream: string, dir: string): Answer {
  let count = 0;
  return async (req) => {
    const path = pathOf(req);
    if (path === "/") return new Response("ok");
    const source = await fetch(upstream + path);
    count += 1;
    const chunks = hashedAndWritten(source, join(dir, String(count)), path.slice(path.lastIndexOf("/") + 1));
    return new Response(streamOf(chunks));
  };
}

async function* hashedAndWritten(source: Response, path: string, digest: string): AsyncGenerator<Uint8Array, void> {
  const file = openSync(`${path}.part`, "w");
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of source.body ?? []) {
    hash.update(chunk);
    writeSync(file, chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest("hex")}` !== digest) throw new Error(`${path}: not ${digest}`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.part`, path);
}

function streamOf(chunks: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

function answerFor(job: string | undefined, args: readonly string[]): Answer {
  const [first = "", second = ""] = args;
  switch (job) {
    case "redirect":
      return redirect(first);
    case "files":
      return files(first);
    case "memory":
      return memory(first, second);
    case "fill":
      return fill(first, second);
    default:
      throw new Error(`unknown job ${job}: redirect, files, memory or fill`);
  }
}

if (import.meta.main) {
  const [port, job, ...args] = Bun.argv.slice(2);
  Bun.serve({
    hostname: "127.0.0.1",
    port: Number(port),
    development: false,
    idleTimeout: 120,
    fetch: answerFor(job, args),
  });
}
