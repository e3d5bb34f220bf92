import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import type { Upstream } from "../../src/config/settings.ts";
import { type Digest, digestFrom } from "../../src/reference/digest.ts";
import { parseHost } from "../../src/reference/host.ts";
import { parseRepository, parseTag, type Repository, type Tag } from "../../src/reference/repository.ts";
import { createWritableRegistry } from "../../src/registry/client.ts";
import type { CallLimits } from "../../src/registry/remote.ts";
import type { BlobToPush, WritableRegistry } from "../../src/registry/writable.ts";
import { urlOf } from "./endpoint.ts";
import { REGISTRIES, type Registry, type RegistryOptions, startRegistry } from "./registry.ts";

const MIB = 1024 * 1024;
const KINDS: readonly (readonly [string, RegistryOptions])[] = [["distribution", {}], ...REGISTRIES];

function certain<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the test takes it for something that it is not");
  return value;
}

const repository = (name: string): Repository => certain(parseRepository(name));
const tag = (name: string): Tag => certain(parseTag(name));
const limits = (): CallLimits => ({ signal: AbortSignal.timeout(60_000), timeoutMs: 20_000 });

function digestOf(bytes: Uint8Array): Digest {
  return digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
}

async function clientOf({ endpoint, tokens }: Registry): Promise<WritableRegistry> {
  const { credentials, caFile } = endpoint;
  const upstream: Upstream = {
    host: certain(parseHost("registry.test")),
    url: urlOf(endpoint),
    path: "",
    cloud: undefined,
    region: undefined,
    credentials: { kind: "none" },
    isPublic: false,
    ca: caFile === undefined ? undefined : await readFile(caFile, "utf8"),
    insecure: false,
    proxy: undefined,
    budget: { requests: undefined, perMs: 1000, concurrent: 16 },
    redirectHosts: [],
    tokenHosts: tokens === undefined ? [] : [new URL(tokens.realm).host],
    mayBePrivate: true,
  };
  const credential = credentials === undefined ? undefined : ({ kind: "basic", ...credentials } as const);
  return createWritableRegistry({ upstream, credentials: () => Promise.resolve(credential) });
}

function blobOf(bytes: Buffer<ArrayBuffer>, changes: Partial<BlobToPush> = {}): BlobToPush {
  return {
    digest: digestOf(bytes),
    sizeBytes: bytes.length,
    mountFrom: [],
    open: (startByte) => {
      const body = new Blob([bytes.subarray(startByte)]).stream();
      return Promise.resolve({ kind: "found", body, startByte, sizeBytes: bytes.length });
    },
    ...changes,
  };
}

function randomBytes(sizeBytes: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";

function manifestOf(config: Buffer, annotation: string, subject?: Digest): Uint8Array<ArrayBuffer> {
  const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(config), size: config.length };
  const document = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: empty,
    layers: [empty],
    annotations: { "test.periplus": annotation },
    ...(subject === undefined ? {} : { subject: { mediaType: manifestType, digest: subject, size: 1 } }),
  };
  return new TextEncoder().encode(JSON.stringify(document));
}

describe.each(KINDS)("%s", (_, options) => {
  let registry: Registry;
  let client: WritableRegistry;
  const config = Buffer.from("{}");

  beforeAll(async () => {
    registry = await startRegistry(options);
    client = await clientOf(registry);
  });

  afterAll(async () => registry[Symbol.asyncDispose]());

  test.each([0, 1, 1000, MIB, 64 * MIB])("takes a blob of %p bytes and gives it back", async (sizeBytes) => {
    const name = repository("team/blobs");
    const bytes = randomBytes(sizeBytes);
    const blob = blobOf(bytes);
    expect(await client.pushBlob(name, blob, limits())).toEqual({ kind: "pushed", sentBytes: sizeBytes });
    expect(await client.headBlob(name, blob.digest, limits())).toEqual({ kind: "found", sizeBytes });
    const got = await client.getBlob(name, blob.digest, { startByte: 0, endByte: undefined }, limits());
    if (got.kind !== "found") throw new Error(JSON.stringify(got));
    expect(digestOf(await new Response(got.body).bytes())).toBe(blob.digest);
  });

  test("mounts what another repository has, and takes what it has not", async () => {
    const bytes = randomBytes(MIB);
    const blob = blobOf(bytes);
    expect((await client.pushBlob(repository("team/from"), blob, limits())).kind).toBe("pushed");
    const mounted = { ...blob, mountFrom: [repository("team/nowhere"), repository("team/from")] };
    expect(await client.pushBlob(repository("team/to"), mounted, limits())).toEqual({ kind: "mounted" });
    const missing = blobOf(randomBytes(1000), { mountFrom: [repository("team/nowhere")] });
    expect((await client.pushBlob(repository("team/to"), missing, limits())).kind).toBe("pushed");
  });

  test("a blob that is not what it is said to be leaves nothing", async () => {
    const name = repository("team/wrong");
    const bytes = randomBytes(2 * MIB);
    const blob = { ...blobOf(bytes), digest: digestOf(Buffer.from("other")) };
    expect(await client.pushBlob(name, blob, limits())).toMatchObject({ reason: "wrong-bytes" });
    expect((await client.headBlob(name, blob.digest, limits())).kind).toBe("absent");
  });

  test("takes a manifest as it is, says what it lacks, and deletes it", async () => {
    const name = repository("team/image");
    await client.pushBlob(name, blobOf(config), limits());
    const bytes = manifestOf(config, "one");
    const manifest = { bytes, mediaType: manifestType, digest: digestOf(bytes) };
    expect((await client.putManifest(name, tag("1.0"), manifest, limits())).kind).toBe("found");
    expect(await client.getManifest(name, tag("1.0"), limits())).toEqual({ kind: "found", ...manifest });
    const lacking = manifestOf(Buffer.from("never pushed"), "two");
    expect(
      await client.putManifest(name, tag("2.0"), { ...manifest, bytes: lacking, digest: digestOf(lacking) }, limits()),
    ).toMatchObject({ kind: "unavailable", status: 400, code: "MANIFEST_BLOB_UNKNOWN" });
    expect((await client.deleteManifest(name, manifest.digest, limits())).kind).toBe("found");
    expect((await client.headManifest(name, manifest.digest, limits())).kind).toBe("absent");
    expect((await client.deleteManifest(name, manifest.digest, limits())).kind).toBe("absent");
  });

  test("lists its repositories in pages", async () => {
    for (const name of ["a/one", "a/two"]) {
      await client.pushBlob(repository(name), blobOf(config), limits());
      const bytes = manifestOf(config, name);
      const manifest = { bytes, mediaType: manifestType, digest: digestOf(bytes) };
      await client.putManifest(repository(name), tag("1"), manifest, limits());
    }
    const first = await client.listRepositories("n=1", limits());
    if (first.kind !== "found") throw new Error(JSON.stringify(first));
    expect(JSON.parse(new TextDecoder().decode(first.bytes))).toEqual({ repositories: ["a/one"] });
    const second = await client.listRepositories(first.nextQuery ?? "", limits());
    if (second.kind !== "found") throw new Error(JSON.stringify(second));
    expect(JSON.parse(new TextDecoder().decode(second.bytes))).toEqual({ repositories: ["a/two"] });
  });
});

describe("a connection that is lost", () => {
  test.each([5 * MIB, 40 * MIB])("after %p bytes is gone on from there", async (cutBytes) => {
    await using registry = await startRegistry();
    await using cut = startCutter(registry.port, cutBytes);
    const client = await clientOf({ ...registry, endpoint: { host: `127.0.0.1:${cut.port}`, scheme: "http" } });
    const blob = blobOf(randomBytes(64 * MIB));
    const name = repository("team/cut");
    const pushed = await client.pushBlob(name, blob, limits());
    expect(pushed.kind).toBe("pushed");
    expect(await client.headBlob(name, blob.digest, limits())).toEqual({ kind: "found", sizeBytes: blob.sizeBytes });
    const methods = (await registry.requests()).map(({ method }) => method);
    expect(methods.filter((method) => method === "POST").length).toBe(1);
    expect(methods).toContain("PATCH");
    expect(pushed.kind === "pushed" && pushed.sentBytes < blob.sizeBytes + 16 * MIB).toBeTrue();
  });
});

/** Passes bytes on to a registry, and breaks the first connection that has sent so many. */
function startCutter(toPort: number, cutBytes: number): AsyncDisposable & { readonly port: number } {
  interface Side {
    passed: number;
    readonly other: Promise<Bun.Socket<Side | undefined>>;
  }
  let isCut = false;
  const listener = Bun.listen<Side | undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(client) {
        const other = Bun.connect<Side | undefined>({
          hostname: "127.0.0.1",
          port: toPort,
          data: undefined,
          socket: {
            data: (_, bytes) => void client.write(bytes),
            close: () => void client.end(),
          },
        });
        client.data = { passed: 0, other };
      },
      async data(client, bytes) {
        const side = client.data;
        if (side === undefined) return;
        side.passed += bytes.length;
        const own = Buffer.from(bytes);
        client.pause();
        const registry = await side.other;
        for (let at = 0; at < own.length; ) {
          at += Math.max(0, registry.write(own, at, own.length - at));
          if (at < own.length) await Bun.sleep(1);
        }
        if (!isCut && side.passed > cutBytes) {
          isCut = true;
          client.terminate();
          registry.end();
          return;
        }
        client.resume();
      },
      close: (client) => void client.data?.other.then((registry) => registry.end()),
    },
  });
  return { port: listener.port, [Symbol.asyncDispose]: () => Promise.resolve(listener.stop(true)) };
}
