import { join } from "node:path";
import type { Endpoint } from "./endpoint.ts";
import { images, LAYOUTS, REFERRER_TYPE, signatureTag } from "./images.ts";
import { blobFile, type Descriptor, entriesOf, entryNamed, manifestIn } from "./layout.ts";
import { mustRun, run } from "./process.ts";
import { binary } from "./versions.ts";

/** One platform's image: its manifest, its config and its layers, lowest first. */
interface PlatformFixture {
  readonly platform: string;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** An image under a tag. `manifest` is what the tag names: an index, a manifest list or the one manifest. */
export interface ImageFixture {
  readonly repository: string;
  readonly tag: string;
  readonly manifest: Descriptor;
  /** The exact bytes of that manifest. */
  readonly body: string;
  readonly platforms: readonly PlatformFixture[];
}

/** What `pushFixtures` put into a registry. */
export interface Fixtures {
  /** `app:1.0`: OCI index, linux/amd64 and linux/arm64, each with layers of 1 MB, 20 MiB and 200 B. */
  readonly app: ImageFixture;
  /** `app-docker:1.0`: the same layers in Docker's manifest list and schema 2 manifests. */
  readonly appDocker: ImageFixture;
  /** `tool:2.1`: one OCI manifest for linux/amd64, layers of 1 MB, 256 KiB and 200 B. */
  readonly tool: ImageFixture;
  /** `many`: the tool under 30 tags, `v00` to `v29`. */
  readonly many: { readonly repository: string; readonly tags: readonly string[]; readonly manifest: Descriptor };
  /** cosign's signature of the app's index, in the app's repository. */
  readonly signature: { readonly tag: string; readonly manifest: Descriptor; readonly publicKeyFile: string };
  /** An artifact manifest whose subject is the app's index; by the tag scheme where there is no referrers API. */
  readonly referrer: { readonly manifest: Descriptor; readonly artifactType: string; readonly fallbackTag: string };
  /** `tool-sha512:1.0`: config and layers by sha512 digests; undefined where the registry refuses such blobs. */
  readonly toolSha512: ImageFixture | undefined;
}

export interface PushOptions {
  /** Put in front of every repository name: `library/` makes `library/app`. */
  readonly prefix?: string;
}

interface Image {
  readonly layout: string;
  readonly tag: string;
}

const MANY_TAGS: readonly string[] = Array.from({ length: 30 }, (_, index) => `v${String(index).padStart(2, "0")}`);

/** Pushes all images into a registry, making them first where the cache has none, and says what it now holds. */
export async function pushFixtures(endpoint: Endpoint, options: PushOptions = {}): Promise<Fixtures> {
  const folder = await images();
  const prefix = options.prefix ?? "";
  const describe = (layout: string, tag: string): Promise<ImageFixture> =>
    imageFixture(join(folder, layout), { repository: `${prefix}${layout}`, tag });
  const app = await describe(LAYOUTS.app, "1.0");
  const signature = signatureTag(app.manifest.digest);
  const copy = async (from: Image, to: string): Promise<void> => {
    await mustRun(copyCommand(from, `${endpoint.host}/${prefix}${to}`, endpoint), { cwd: folder });
  };
  await Promise.all([
    copy({ layout: LAYOUTS.app, tag: "1.0" }, "app:1.0"),
    copy({ layout: LAYOUTS.app, tag: signature }, `app:${signature}`),
    copy({ layout: LAYOUTS.appDocker, tag: "1.0" }, "app-docker:1.0"),
    copy({ layout: LAYOUTS.tool, tag: "2.1" }, "tool:2.1"),
    copy({ layout: LAYOUTS.tool, tag: "2.1" }, `many:${MANY_TAGS.join(",")}`),
  ]);
  const tool = await describe(LAYOUTS.tool, "2.1");
  return {
    app,
    appDocker: await describe(LAYOUTS.appDocker, "1.0"),
    tool,
    many: { repository: `${prefix}many`, tags: MANY_TAGS, manifest: tool.manifest },
    signature: {
      tag: signature,
      manifest: await entryNamed(join(folder, LAYOUTS.app), signature),
      publicKeyFile: join(folder, "cosign.pub"),
    },
    referrer: await referrerFixture(join(folder, LAYOUTS.app), app),
    toolSha512: await pushSha512(endpoint, { folder, prefix }),
  };
}

/** Everything a client must hold that has pulled an image, or one platform of it: digests, the tag's own first. */
export function digestsOf(image: ImageFixture, only?: string): readonly string[] {
  const chosen = image.platforms.filter(({ platform }) => only === undefined || platform === only);
  const parts = chosen.flatMap(({ manifest, config, layers }) => [manifest, config].concat(layers));
  return [...new Set([image.manifest, ...parts].map(({ digest }) => digest))];
}

async function pushSha512(
  endpoint: Endpoint,
  from: { readonly folder: string; readonly prefix: string },
): Promise<ImageFixture | undefined> {
  const repository = `${from.prefix}${LAYOUTS.toolSha512}`;
  const source = { layout: LAYOUTS.toolSha512, tag: "1.0" };
  const pushed = await run(copyCommand(source, `${endpoint.host}/${repository}:1.0`, endpoint), { cwd: from.folder });
  if (pushed.code !== 0) return undefined;
  return imageFixture(join(from.folder, LAYOUTS.toolSha512), { repository, tag: "1.0" });
}

/** `oras cp` with whatever refers to the image; blobs and manifests are copied byte for byte. */
function copyCommand(from: Image, to: string, endpoint: Endpoint): readonly string[] {
  const { caFile, credentials } = endpoint;
  const copy = ["cp", "--recursive", "--no-tty", "--from-oci-layout", `${from.layout}:${from.tag}`, to];
  return [
    binary("oras"),
    ...copy,
    `--to-plain-http=${endpoint.scheme === "http"}`,
    ...(caFile === undefined ? [] : ["--to-ca-file", caFile]),
    ...(credentials === undefined ? [] : ["--to-username", credentials.username]),
    ...(credentials === undefined ? [] : ["--to-password", credentials.password]),
  ];
}

async function imageFixture(
  layout: string,
  at: { readonly repository: string; readonly tag: string },
): Promise<ImageFixture> {
  const manifest = await entryNamed(layout, at.tag);
  const { manifests } = await manifestIn(layout, manifest.digest);
  const children = manifests ?? [manifest];
  const body = await Bun.file(blobFile(layout, manifest.digest)).text();
  return {
    ...at,
    manifest,
    body,
    platforms: await Promise.all(children.map((child) => platformFixture(layout, child))),
  };
}

async function platformFixture(layout: string, manifest: Descriptor): Promise<PlatformFixture> {
  const { config, layers } = await manifestIn(layout, manifest.digest);
  if (config === undefined || layers === undefined) throw new Error(`${manifest.digest} in ${layout} is no image`);
  const { os, architecture } = manifest.platform ?? { os: "linux", architecture: "amd64" };
  return { platform: `${os}/${architecture}`, manifest, config, layers };
}

async function referrerFixture(layout: string, app: ImageFixture): Promise<Fixtures["referrer"]> {
  const manifest = (await entriesOf(layout)).find((entry) => entry.artifactType === REFERRER_TYPE);
  if (manifest === undefined) throw new Error(`${layout} has no referrer`);
  return { manifest, artifactType: REFERRER_TYPE, fallbackTag: app.manifest.digest.replace(":", "-") };
}
