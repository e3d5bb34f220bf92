import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mediaTypes } from "../../manifest/media-types.ts";
import { digestOf } from "../../mirror/testing/fake-registry.ts";
import { runtimeVariables } from "../runtime-variables.ts";

// The real program, as people start it, before a registry on a port: with a server, without one, and after its death.

const main = join(import.meta.dir, "..", "main.ts");
let folder: string;
let upstream: ReturnType<typeof Bun.serve>;
let asked: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-cache-"));
  asked = [];
  upstream = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  writeFileSync(join(folder, "config.yaml"), config(upstream.port));
});
afterAll(async () => {
  await upstream.stop(true);
  rmSync(folder, { recursive: true });
});

function config(port: number | undefined): string {
  return `listen: 127.0.0.1:0
storage: data
upstreams: { quay.io: { url: "http://127.0.0.1:${port}" } }
rules: [{ match: "*", serve: cache }]
log: "off"
`;
}

const encoder = new TextEncoder();
const layer = encoder.encode("a layer");
const configBytes = encoder.encode("{}");
const descriptor = (bytes: Uint8Array): object => ({
  mediaType: "x/y",
  digest: digestOf(bytes),
  size: bytes.byteLength,
});
const manifest = encoder.encode(
  JSON.stringify({ schemaVersion: 2, config: descriptor(configBytes), layers: [descriptor(layer)] }),
);
const contents = new Map([
  ["manifests/v1", manifest],
  [`manifests/${digestOf(manifest)}`, manifest],
  [`blobs/${digestOf(layer)}`, layer],
  [`blobs/${digestOf(configBytes)}`, configBytes],
]);

function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  asked.push(`${request.method} ${pathname}`);
  const bytes = contents.get(pathname.replace("/v2/a/b/", ""));
  if (bytes === undefined) return new Response(null, { status: 404 });
  const headers = { "Content-Type": mediaTypes.ociManifest, "Docker-Content-Digest": digestOf(bytes) };
  return new Response(bytes, { headers });
}

interface Ended {
  readonly status: number;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly stderr: string;
}

function spawn(args: readonly string[]): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  return Bun.spawn([process.execPath, main, ...args], {
    cwd: folder,
    env: { ...process.env, ...runtimeVariables },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs `periplus cache ARGS -o json`. */
async function cache(args: readonly string[], stdin = ""): Promise<Ended> {
  const command = spawn(["cache", ...args, "-o", "json", "--config", "config.yaml"]);
  await command.stdin.write(stdin);
  await command.stdin.end();
  const [stdout, stderr] = await Promise.all([
    new Response(command.stdout).text(),
    new Response(command.stderr).text(),
  ]);
  const lines = stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Ended["lines"][number]]));
  return { status: await command.exited, lines, stderr };
}

async function serve(): Promise<Bun.Subprocess> {
  const server = spawn(["serve", "--config", "config.yaml"]);
  const decoder = new TextDecoder();
  let said = "";
  for await (const bytes of server.stderr) {
    said += decoder.decode(bytes);
    if (said.includes("listens on")) return server;
  }
  throw new Error(`the server ended: ${said}`);
}

test(
  "warm, list and clean without a server, with one, and after it was killed",
  async () => {
    expect(await cache(["ls"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("there is no such folder"),
    });
    const cold = await cache(["warm", "-"], "quay.io/a/b:v1\n");
    expect(cold).toMatchObject({ status: 0, lines: [{ status: "warmed", blobs: 2 }, { outcome: "clean" }] });
    expect(asked.filter((line) => line.includes("/blobs/")).length).toBe(2);

    await using server = await serve();
    const socket = join(folder, "data", "admin.sock");
    expect(existsSync(socket)).toBe(true);
    expect((await cache(["warm", "quay.io/a/b:v1"])).lines).toMatchObject([{ status: "held" }, { outcome: "clean" }]);
    const failed = await cache(["warm", "quay.io/a/b:v1", "quay.io/a/b:v2"]);
    expect(failed).toMatchObject({ status: 1, lines: [{ status: "held" }, { status: "failed" }, { failed: 1 }] });
    expect((await cache(["verify"])).lines).toMatchObject([{ blobs: 2, manifests: 1, findings: 0 }]);

    server.kill("SIGKILL");
    await server.exited;
    expect(existsSync(socket)).toBe(true);
    expect((await cache(["ls"])).lines).toMatchObject([{ name: "quay.io/a/b:v1", held: true }, { tags: 1 }]);

    await using next = await serve();
    expect((await cache(["rm", "--all", "quay.io/a/b"])).lines).toMatchObject([{ status: "removed" }, { removed: 1 }]);
    next.kill("SIGKILL");
    await next.exited;
    expect((await cache(["ls"])).lines).toMatchObject([{ heldTags: 0, heldBlobs: 0 }]);
  },
  { timeout: 60_000 },
);

test("bad lines are said with their numbers before anything starts", async () => {
  const before = asked.length;
  writeFileSync(join(folder, "images.txt"), "quay.io/a/b:v1\n# fine\nNot One\n");
  const { status, lines, stderr } = await cache(["warm", "-f", "images.txt"]);
  expect([status, lines, asked.length]).toEqual([2, [], before]);
  expect(stderr).toStartWith('images.txt:3: "Not One" is not a reference');
});
