import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, exists, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { get } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { entryNamed } from "./layout.ts";
import { freePort, launch, mustRun, type Running, type TemporaryFolder, temporaryFolder } from "./process.ts";
import { type Clients, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { binary } from "./versions.ts";

const CHECKOUT = join(import.meta.dir, "..", "..");
const PAUSE = { repository: "registry.k8s.io/pause", reference: "3.9" };

let clients: Clients;
let upstream: Registry;
let fixtures: Fixtures;
let folder: TemporaryFolder;
/** What a new user has after `npm ci`: the files of the checkout and the packages, and nothing that was made since. */
let copy: string;

/** The loopback registry stands for registry.k8s.io, which has `pause:3.9`. */
beforeAll(async () => {
  [clients, upstream, folder] = await Promise.all([startClients(), startRegistry(), temporaryFolder("first-steps")]);
  fixtures = await pushFixtures(upstream.endpoint);
  const { host } = upstream.endpoint;
  await mustRun([binary("crane"), "copy", `${host}/tool:2.1`, `${host}/pause:3.9`]);
  copy = join(folder.path, "checkout");
  for (const name of ["bin", "src", "scripts", "package.json"]) {
    await cp(join(CHECKOUT, name), join(copy, name), { recursive: true });
  }
  await symlink(join(CHECKOUT, "node_modules"), join(copy, "node_modules"));
});

afterAll(async () => {
  await Promise.all([clients, upstream, folder].map((part) => part[Symbol.asyncDispose]()));
});

interface Server extends AsyncDisposable {
  readonly host: string;
  readonly running: Running;
}

/** npm ends before what it has started does: all of that is found first, and ended with it. */
async function killTree(pid: number): Promise<void> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  for (const child of children.trim().split(" ").filter(Boolean)) await killTree(Number(child));
  process.kill(pid, "SIGKILL");
}

/** Starts a command that serves, on a port of its own. */
async function serve(command: readonly string[], cwd: string): Promise<Server> {
  const host = `127.0.0.1:${freePort()}`;
  const upstreams = ["--upstream", `registry.k8s.io=http://${upstream.endpoint.host}`];
  const running = await launch({
    command: [...command, "--listen", host, ...upstreams],
    cwd,
    logFile: join(folder.path, `${host}.log`),
    ready: async () => (await get({ host, scheme: "http" }, "/readyz", { signal: AbortSignal.timeout(1000) })).ok,
  });
  return { host, running, [Symbol.asyncDispose]: () => killTree(running.pid) };
}

async function printed({ running }: Server): Promise<readonly string[]> {
  return (await readFile(running.logFile, "utf8")).split("\n");
}

test("npm start serves a clean copy, and the three commands it prints work as they are", async () => {
  await using server = await serve(["npm", "start", "--"], copy);
  const lines = await printed(server);
  expect(lines.some((line) => line.endsWith(`listens on http://${server.host}`))).toBe(true);
  const start = lines.indexOf("try:") + 1;
  const commands = lines.slice(start, lines.indexOf("", start)).map((line) => line.trim());
  const words = commands.map((command) => command.split(" ")[0]);
  expect(words).toEqual(["crane", "skopeo", "curl"]);
  const cwd = join(folder.path, "user");
  await mkdir(cwd);
  const env = { PATH: `${dirname(binary("crane"))}:${process.env["PATH"]}` };
  const [crane, , curl] = await inOrder(commands, (command) => mustRun(["sh", "-c", command], { cwd, env }));
  expect(crane).toBe(fixtures.tool.body);
  expect((await entryNamed(join(cwd, "pause"), "3.9")).digest).toBe(fixtures.tool.manifest.digest);
  expect(JSON.parse(curl ?? "")).toEqual({ name: "pause", tags: ["3.9"] });
  expect(await exists(join(copy, "periplus-data"))).toBe(true);
}, 60_000);

async function inOrder<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await act(item));
  return results;
}

test("npm start without a word serves on 127.0.0.1:5000", async () => {
  // In a network namespace, where nobody else can have the port; what runs in it ends with the shell.
  const script = `busybox ip link set lo up
npm start >log 2>&1 &
for try in $(seq 400); do curl -sf http://127.0.0.1:5000/readyz && break; sleep 0.05; done
curl -s http://127.0.0.1:5000/v2/; ls -d periplus-data; cat log`;
  const namespaces = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const answers = await mustRun([...namespaces, "sh", "-c", script], { cwd: copy });
  expect(answers).toContain("ok\n{}periplus-data\n");
  expect(answers).toContain("listens on http://127.0.0.1:5000\n");
}, 60_000);

describe("the README's files", () => {
  let readme: string;
  let server: Server;

  beforeAll(async () => {
    server = await serve([join(copy, "bin", "periplus"), "serve", "--storage", join(folder.path, "mirror")], copy);
    readme = await readFile(join(CHECKOUT, "README.md"), "utf8");
  });

  afterAll(async () => server[Symbol.asyncDispose]());

  /** The block of the README that has this in it, at our address. */
  function block(part: string): string {
    const blocks = [...readme.matchAll(/^```toml\n([^`]*)^```$/gm)].map(([, text = ""]) => text);
    const found = blocks.filter((text) => text.includes(part));
    expect([part, found.length]).toEqual([part, 1]);
    return found[0]!.replaceAll("127.0.0.1:5000", server.host);
  }

  test("containerd's makes it pull from here what is named after the registry", async () => {
    const { containerd } = clients;
    await mkdir(join(containerd.hostsFolder, "_default"));
    await writeFile(join(containerd.hostsFolder, "_default", "hosts.toml"), block("capabilities"));
    const pull = ["images", "pull", "--snapshotter", "native", "--hosts-dir", containerd.hostsFolder];
    expect(await containerd.ctr([...pull, "registry.k8s.io/pause:3.9"])).toMatchObject({ code: 0 });
    expect((await containerd.ctr(["images", "ls"])).stdout).toContain(fixtures.tool.manifest.digest);
  });

  test("podman's makes it pull from here", async () => {
    const { podman } = clients.podman;
    const conf = join(folder.path, "podman.conf");
    await writeFile(conf, block("[[registry.mirror]]"));
    expect(await podman(["pull", "--quiet", "registry.k8s.io/pause:3.9"], conf)).toMatchObject({ code: 0 });
    const inspected = await podman(["image", "inspect", "--format", "{{.Digest}}", "registry.k8s.io/pause:3.9"]);
    expect(inspected.stdout.trim()).toBe(fixtures.tool.manifest.digest);
  });

  test("the same makes skopeo pull from here", async () => {
    const conf = join(folder.path, "skopeo.conf");
    await writeFile(conf, block("[[registry.mirror]]"));
    const into = join(folder.path, "skopeo");
    const copied = ["copy", "docker://registry.k8s.io/pause:3.9", `dir:${into}`];
    await mustRun([binary("skopeo"), "--registries-conf", conf, ...copied]);
    expect(await readFile(join(into, "manifest.json"), "utf8")).toBe(fixtures.tool.body);
  });
});

test("the single binary serves and pulls, alone in a folder", async () => {
  const platform = `${process.platform}-${process.arch}`;
  await mustRun([join(copy, "node_modules", ".bin", "bun"), "scripts/build.ts", platform], { cwd: copy });
  const alone = join(folder.path, "alone");
  await mkdir(alone);
  await cp(join(copy, "dist", "periplus"), join(alone, "periplus"));
  const version = JSON.parse(await readFile(join(copy, "package.json"), "utf8")) as { version: string };
  expect((await mustRun([join(alone, "periplus"), "--version"])).trim()).toBe(version.version);
  await using server = await serve([join(alone, "periplus"), "serve"], alone);
  const endpoint = { host: server.host, scheme: "http" } as const;
  for (const client of ["crane", "containerd"] as const)
    await clients.expectPull(client, endpoint, fixtures.tool, PAUSE);
  await clients.expectPull("oras", endpoint, fixtures.app, { repository: "registry.k8s.io/app" });
  await upstream.running.stop();
  await clients.expectPull("skopeo", endpoint, fixtures.app, { repository: "registry.k8s.io/app" });
}, 60_000);
