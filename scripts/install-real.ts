import { mkdir, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { binariesOf, DEBIAN_PACKAGES, GO_PROGRAMS, type GoProgram, programFolder } from "../test/real/versions.ts";

/** Installs what `npm run test:real` runs, and nothing that is there already. Fails when something cannot be had. */
async function main(): Promise<void> {
  const started = Date.now();
  await installDebianPackages();
  for (const program of GO_PROGRAMS) await installGoProgram(program);
  console.log(`real components: ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function installDebianPackages(): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  const names = missing.join(" ");
  if (Bun.which("apt-get") === null) fail(`not installed: ${names}; this is no Debian, so install them by hand`);
  if (process.getuid?.() !== 0)
    fail(`not installed: ${names}; as root: apt-get install --no-install-recommends ${names}`);
  console.log(`apt-get install ${names}`);
  await startNoServices(async () => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await must(["apt-get", "update", "-q"], env);
    await must(["apt-get", "install", "-q", "-y", "--no-install-recommends", ...missing], env);
  });
  const still = await missingPackages();
  if (still.length > 0) fail(`apt-get did not install: ${still.join(" ")}`);
}

/** By the package database where there is one; elsewhere a command of that name on the path will do. */
async function missingPackages(): Promise<readonly string[]> {
  if (Bun.which("dpkg-query") === null) {
    return DEBIAN_PACKAGES.filter(({ command }) => Bun.which(command) === null).map(({ name }) => name);
  }
  const names = DEBIAN_PACKAGES.map(({ name }) => name);
  const query = ["dpkg-query", "-W", "-f", `\${Package} \${db:Status-Status}\n`, ...names];
  const child = Bun.spawn(query, { stdout: "pipe", stderr: "ignore" });
  const installed = new Set((await new Response(child.stdout).text()).split("\n"));
  return names.filter((name) => !installed.has(`${name} installed`));
}

/** Packages of servers start them at once; a policy that forbids it (policy-rc.d, exit 101) stands meanwhile. */
async function startNoServices(work: () => Promise<void>): Promise<void> {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !(await exists(policy));
  if (ours) await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await work();
  } finally {
    if (ours) await unlink(policy);
  }
}

async function installGoProgram(program: GoProgram): Promise<void> {
  const folder = programFolder(program);
  const present = await Promise.all(binariesOf(program).map((name) => exists(join(folder, name))));
  if (present.every(Boolean)) return;
  const packages = program.packages.map((path) => `${path}@${program.version}`);
  if (Bun.which("go") === null) fail(`go is not installed; it builds ${packages.join(" ")}`);
  console.log(`go install ${packages.join(" ")}`);
  const building = `${folder}.${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  await must(["go", "install", "-ldflags=-s -w", ...packages], { GOBIN: building, CGO_ENABLED: "0", GOFLAGS: "" });
  await rm(folder, { recursive: true, force: true });
  await rename(building, folder);
}

async function must(command: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const output = { stdout: "pipe", stderr: "pipe" } as const;
  const child = Bun.spawn([...command], { ...output, stdin: "ignore", env: { ...process.env, ...env } });
  const printed = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  if (code !== 0) fail(`exit ${code} from: ${command.join(" ")}\n${(await printed).join("")}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function fail(message: string): never {
  throw new Error(message);
}

try {
  await main();
} catch (error) {
  console.error(`install-real: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
