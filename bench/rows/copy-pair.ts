import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueCertificate } from "../../src/net/test-certificate.ts";
import type { KeyPair } from "../../test/real/certificates.ts";
import { type ProgramCost, type ProgramRun, runProgram } from "../measure/program.ts";
import { type Bench, bothCores, emptyDir } from "../measure/stage.ts";
import { programContender } from "../peers/launch.ts";
import { registryOfPrograms } from "../peers/distribution.ts";
import type { Tool } from "../peers/tools.ts";
import type { Metric, Role, Sample, Stage, Target } from "../row.ts";

const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** For what is asked beside the programs, of registries that were started here. */
const anyCertificate = { tls: { rejectUnauthorized: false } };

/** The columns of rows of copies: what the client took. */
export const COPY_METRICS: readonly Metric[] = [
  { key: "wallMs", label: "ms", digits: 0 },
  { key: "cpuMs", label: "CPU ms", digits: 0 },
  { key: "peakMB", label: "peak MB", digits: 0 },
];

/** No slower than any of these, from the checkout and as the single binary, and in 100 MB. */
export function copyTargets(peers: readonly string[]): readonly Target[] {
  const ours = ["periplus", "periplus, single binary"];
  const noSlower = ours.flatMap((of) =>
    peers.map((over): Target => ({ kind: "ratio", metric: "wallMs", of, over, bound: { kind: "atMost", value: 1 } })),
  );
  const small = ours.map(
    (of): Target => ({ kind: "value", metric: "peakMB", of, bound: { kind: "atMost", value: 100 } }),
  );
  return [...noSlower, ...small];
}

/** Where one copy goes from and to: repositories with their hosts, and a folder for files of the program's own. */
export interface CopyPlace {
  readonly source: string;
  readonly target: string;
  readonly dir: string;
  /** What certificate both are known by; without one they speak plain HTTP. */
  readonly certFile: string | undefined;
}

/** A program that copies. */
export interface Copier {
  readonly name: string;
  readonly role: Role;
  readonly find: () => Tool;
  readonly args: (place: CopyPlace) => readonly string[];
  readonly env?: (place: CopyPlace) => Readonly<Record<string, string>>;
}

/** What is to be copied: so many images of so many layers, no two of which are alike. */
export interface CopyWork {
  readonly images: number;
  readonly layers: number;
  readonly layerBytes: number;
  /** Over TLS, verified by every program. */
  readonly isTls: boolean;
  readonly copiers: readonly Copier[];
}

/** Two registries of distribution, the images in one of them. Each measurement copies to a repository of its own in the other. */
export async function openCopies(bench: Bench, work: CopyWork): Promise<Stage> {
  const dir = emptyDir(bench, "copies");
  const certificate = work.isTls ? certificateIn(dir) : undefined;
  const names = ["copy source", "copy target"];
  const registries = await Promise.all(names.map((name) => registryOfPrograms(bench, name, certificate)));
  const [source, target] = registries;
  if (source === undefined || target === undefined) throw new Error("two registries were started");
  await pushImages(source.origin, "images", work);
  let copies = 0;
  return {
    contenders: work.copiers.map(programContender),
    measure: async (_, { name }) => {
      const copier = work.copiers.find((candidate) => candidate.name === name);
      const to = `copy-${(copies += 1)}/images`;
      const place: CopyPlace = {
        source: `${hostOf(source.origin)}/images`,
        target: `${hostOf(target.origin)}/${to}`,
        dir,
        certFile: certificate?.certFile,
      };
      const cost = await runProgram({ ...programOf(copier, place), cores: bothCores(bench) });
      await expectTags(target.origin, to, work.images);
      return sampleOf(cost);
    },
    close: async () => {
      for (const { server } of registries) await server?.stop();
    },
  };
}

function certificateIn(dir: string): KeyPair {
  const [certFile, keyFile] = [join(dir, "registry.crt"), join(dir, "registry.key")];
  const { cert, key } = issueCertificate({ commonName: "localhost", addresses: ["127.0.0.1"] });
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return { certFile, keyFile };
}

function hostOf(origin: string): string {
  return new URL(origin).host;
}

function programOf(copier: Copier | undefined, place: CopyPlace): Omit<ProgramRun, "cores"> {
  const tool = copier?.find();
  if (copier === undefined || tool?.kind !== "found") throw new Error("no such program");
  const trust = place.certFile === undefined ? {} : { SSL_CERT_FILE: place.certFile };
  return { name: copier.name, argv: [tool.path, ...copier.args(place)], env: { ...trust, ...copier.env?.(place) } };
}

function sampleOf({ wallMs, cpuMs, peakMB }: ProgramCost): Sample {
  return { wallMs, cpuMs, peakMB };
}

/** A copy that left something out is fast for nothing. */
async function expectTags(origin: string, repository: string, count: number): Promise<void> {
  const answer = await fetch(`${origin}/v2/${repository}/tags/list?n=10000`, anyCertificate);
  const { tags } = (await answer.json()) as { readonly tags?: readonly string[] }; // distribution's own answer
  if (tags?.length !== count) throw new Error(`${tags?.length ?? 0} of ${count} images came to ${repository}`);
}

async function pushImages(origin: string, repository: string, { images, layers, layerBytes }: CopyWork): Promise<void> {
  for (let image = 0; image < images; image += 1) {
    const pushed = [];
    for (let layer = 0; layer < layers; layer += 1) pushed.push(await pushBlob(origin, repository, noise(layerBytes)));
    const named = pushed.map((digest) => ({ mediaType: LAYER_TYPE, digest, size: layerBytes }));
    const config = new TextEncoder().encode(JSON.stringify({ os: "linux", architecture: "amd64", rootfs: pushed }));
    const digest = await pushBlob(origin, repository, config);
    const document = {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, digest, size: config.byteLength },
      layers: named,
    };
    const url = `${origin}/v2/${repository}/manifests/t${image}`;
    const headers = { "Content-Type": MANIFEST_TYPE };
    await expectCreated(fetch(url, { ...anyCertificate, method: "PUT", body: JSON.stringify(document), headers }));
  }
}

function noise(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  const atOnce = 65_536;
  for (let at = 0; at < sizeBytes; at += atOnce) crypto.getRandomValues(bytes.subarray(at, at + atOnce));
  return bytes;
}

async function pushBlob(origin: string, repository: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
  const begun = await fetch(`${origin}/v2/${repository}/blobs/uploads/`, { ...anyCertificate, method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", origin);
  location.searchParams.set("digest", digest);
  await expectCreated(fetch(location, { ...anyCertificate, method: "PUT", body: bytes }));
  return digest;
}

async function expectCreated(asked: Promise<Response>): Promise<void> {
  const answer = await asked;
  if (answer.status !== 201) throw new Error(`${answer.url} answered ${answer.status}: ${await answer.text()}`);
}

/** Our own program as a checkout or a build has it. */
export function ownProgram(path: string, find: (path: string) => Tool, args: Copier["args"]): Copier {
  const name = path.startsWith("dist/") ? "periplus, single binary" : "periplus";
  return { name, role: "ours", find: () => find(join(import.meta.dir, "..", "..", path)), args };
}
