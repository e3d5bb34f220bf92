import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../measure/program.ts";
import { type Bench, bothCores, emptyDir } from "../measure/stage.ts";
import { programContender } from "../peers/launch.ts";
import { registryOfPrograms } from "../peers/distribution.ts";
import { findRegsync, type Tool } from "../peers/tools.ts";
import type { Role, Row, Sample, Stage } from "../row.ts";

const TAGS = 500;
const ROOT = join(import.meta.dir, "..", "..");
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/**
 * A sync of a repository that is all there already, between two registries of distribution: one list of tags, and a HEAD of each at both
 * ends. Programs start, run and end once a measurement.
 */
export const syncHeld: Row = {
  id: "sync-held",
  title: "sync of 500 tags that are there",
  lifetime: "row",
  metrics: [
    { key: "wallMs", label: "ms", digits: 0 },
    { key: "cpuMs", label: "CPU ms", digits: 0 },
  ],
  targets: [
    { kind: "ratio", metric: "wallMs", of: "periplus", over: "regsync", bound: { kind: "atMost", value: 0.7 } },
    {
      kind: "ratio",
      metric: "wallMs",
      of: "periplus, single binary",
      over: "regsync",
      bound: { kind: "atMost", value: 0.7 },
    },
  ],
  open,
};

interface Program {
  readonly name: string;
  readonly role: Role;
  readonly find: () => Tool;
  readonly args: readonly string[];
}

async function open(bench: Bench): Promise<Stage> {
  const registries = [await registryOfPrograms(bench, "sync source"), await registryOfPrograms(bench, "sync target")];
  for (const { origin } of registries) await fill(origin);
  const [source = "", target = ""] = registries.map(({ origin }) => new URL(origin).host);
  const dir = emptyDir(bench, "sync-held");
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const own = file("own.yaml", `sync:\n  - { from: "${source}/held", to: "${target}/held" }\n`);
  const regsync = (name: string, more: { readonly parallel: number; readonly creds: string }): Program => ({
    name,
    role: "peer",
    find: findRegsync,
    args: ["-c", file(`${name}.yml`, regsyncFile({ source, target, ...more })), "-v", "error", "once"],
  });
  const ours = (name: string, path: string): Program => ({
    name,
    role: "ours",
    find: () => builtAt(path),
    args: ["sync", "-f", own, "--apply"],
  });
  const programs = [
    ours("periplus", "bin/periplus"),
    ours("periplus, single binary", "dist/periplus"),
    regsync("regsync", { parallel: 1, creds: "" }),
    regsync("regsync, 8 at once", { parallel: 8, creds: ", reqConcurrent: 16" }),
  ];
  return {
    contenders: programs.map(programContender),
    measure: (_, { name }) =>
      measured(
        bench,
        programs.find((program) => program.name === name),
      ),
    close: async () => {
      for (const { server } of registries) await server?.stop();
    },
  };
}

function builtAt(path: string): Tool {
  const program = join(ROOT, path);
  return existsSync(program)
    ? { kind: "found", path: program }
    : { kind: "missing", reason: `${path} is not there: npm run build` };
}

async function measured(bench: Bench, program: Program | undefined): Promise<Sample> {
  const tool = program?.find();
  if (program === undefined || tool?.kind !== "found") throw new Error("no such program");
  const argv = [tool.path, ...program.args];
  const { wallMs, cpuMs } = await runProgram({ name: program.name, argv, cores: bothCores(bench) });
  return { wallMs, cpuMs };
}

interface RegsyncFile {
  readonly source: string;
  readonly target: string;
  readonly parallel: number;
  readonly creds: string;
}

function regsyncFile({ source, target, parallel, creds }: RegsyncFile): string {
  return `version: 1
creds:
  - { registry: "${source}", tls: disabled${creds} }
  - { registry: "${target}", tls: disabled${creds} }
defaults: { parallel: ${parallel} }
sync:
  - { source: "${source}/held", target: "${target}/held", type: repository }
`;
}

/** One small image under all the tags. */
async function fill(origin: string): Promise<void> {
  const config = await pushed(origin, "{}");
  const document = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 2 },
    layers: [],
  };
  for (let tag = 0; tag < TAGS; tag += 1) {
    const answer = await fetch(`${origin}/v2/held/manifests/t${tag}`, {
      method: "PUT",
      body: JSON.stringify(document),
      headers: { "Content-Type": MANIFEST_TYPE },
    });
    if (answer.status !== 201) throw new Error(`${origin} answered ${answer.status} to a manifest`);
  }
}

async function pushed(origin: string, text: string): Promise<string> {
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(text).digest("hex")}`;
  const begun = await fetch(`${origin}/v2/held/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", origin);
  location.searchParams.set("digest", digest);
  const ended = await fetch(location, { method: "PUT", body: text });
  if (ended.status !== 201) throw new Error(`${origin} answered ${ended.status} to a blob`);
  return digest;
}
