import type { Digest } from "../../reference/digest.ts";
import { digestOf } from "../../registry/testing/content.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

/** Media types of what tests push. */
export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";

/** A world whose every name is a repository of our own, unless `config` says otherwise. */
export function createStoreWorld(options: WorldOptions = {}): Promise<World> {
  const config = { listen: "127.0.0.1:5000", rules: [{ match: "*", serve: "store" }], ...options.config };
  return createWorld({ ...options, config });
}

/** Pushes a blob in one request; its digest. Throws when it is not taken. */
export async function pushBlob(
  world: World,
  repository: string,
  content: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Digest> {
  const digest = digestOf(content);
  const body = typeof content === "string" ? content : new Uint8Array(content);
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
  return taken(await world.ask(path, { method: "POST", body, headers }), digest);
}

/** A manifest's bytes over blobs by their text, with whatever else it is to say. */
export function imageOf(layers: readonly string[], more: Readonly<Record<string, unknown>> = {}): string {
  const part = (text: string): unknown => ({ mediaType: "x/y", digest: digestOf(text), size: text.length });
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf("{}"), size: 2 };
  return JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config, layers: layers.map(part), ...more });
}

/** Pushes the blobs of a manifest and the manifest under a tag; its digest and bytes. Throws when it is not taken. */
export async function pushImage(
  world: World,
  repository: string,
  tag: string,
  given: {
    readonly layers?: readonly string[];
    readonly more?: Record<string, unknown>;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<{ readonly digest: Digest; readonly text: string }> {
  const { layers = ["layer"], more = {}, headers = {} } = given;
  for (const text of ["{}", ...layers]) await pushBlob(world, repository, text, headers);
  const text = imageOf(layers, more);
  const reply = await putManifest(world, `${repository}/manifests/${tag}`, text, headers);
  return { digest: await taken(reply, digestOf(text)), text };
}

/** PUT of a manifest. */
export function putManifest(
  world: World,
  path: string,
  text: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const init = { method: "PUT", body: text, headers: { "Content-Type": ociManifest, ...headers } };
  return world.ask(`/v2/${path}`, init);
}

/** The first error's code, as the OCI specification has it; empty when the answer is none. */
export async function errorCode(reply: Response): Promise<string> {
  const text = await reply.text();
  if (!text.startsWith('{"errors"')) return "";
  return (JSON.parse(text) as { readonly errors: readonly { readonly code: string }[] }).errors[0]?.code ?? "";
}

async function taken(reply: Response, digest: Digest): Promise<Digest> {
  if (reply.status !== 201) throw new Error(`${reply.status} ${await reply.text()}`);
  return digest;
}
