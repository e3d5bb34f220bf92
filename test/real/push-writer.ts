import { randomBytes } from "node:crypto";
import { digestOf } from "../../src/registry/testing/content.ts";
import { type Endpoint, get } from "./endpoint.ts";

/** What the server has acknowledged, of all writers and over all restarts. */
export interface Ledger {
  /** `REPOSITORY/blobs/DIGEST`: answered with 201. */
  readonly blobs: Set<string>;
  /** `REPOSITORY/manifests/DIGEST`, with the bytes. */
  readonly manifests: Map<string, string>;
  /** `REPOSITORY/manifests/TAG`, with the digests that it may be: the acknowledged one, and one that was sent and not answered. */
  readonly tags: Map<string, readonly string[]>;
  /** What was pushed last, to be pushed once more elsewhere: the server has it, and need not write it. */
  readonly recent: Buffer[];
}

/** An upload that the server was killed in, and what is known of it. */
export interface Interrupted {
  readonly repository: string;
  readonly location: string;
  readonly content: Buffer;
  /** As far as the server has said that it is. */
  readonly acknowledgedBytes: number;
  /** Whether its end was sent already: then it may be a blob by now. */
  readonly isEnding: boolean;
}

/** Points of a push that a server is killed at. */
export const POINTS = [
  "upload begun",
  "piece taken",
  "end sent",
  "blob answered",
  "manifest sent",
  "manifest answered",
] as const;

/** One of them. */
export type Point = (typeof POINTS)[number];

/** How a writer pushes: where, when it tells of which point, and how large its blobs are at most. */
export interface WriterOptions {
  readonly repository: string;
  readonly ledger: Ledger;
  readonly reached: (point: Point) => void;
  readonly blobMaxBytes: number;
}

/** One blob of so many is one that the server has. */
const onceMoreOf = 3;
const recentMax = 16;

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Pushes images of random sizes, one after the other, until the server is gone. What it was in the middle of is what is returned. */
export async function pushUntilGone(endpoint: Endpoint, options: WriterOptions): Promise<Interrupted | undefined> {
  const writer = new Writer(endpoint, options);
  try {
    for (let image = 0; ; image++) await writer.pushImage(`t${image % 3}`);
  } catch (error) {
    if (error instanceof Wrong) throw error;
    return writer.interrupted;
  }
}

/** Goes on with an upload after a restart, from where the server says that it is. Throws when that is not as it must be. */
export async function goOn(endpoint: Endpoint, upload: Interrupted, ledger: Ledger): Promise<"went on" | "is over"> {
  const { repository, location, content, acknowledgedBytes, isEnding } = upload;
  const state = await get(endpoint, location);
  if (state.status === 404 && isEnding) return "is over";
  if (state.status !== 204) throw new Wrong(`GET ${location}: ${state.status}`);
  const [, last = "0"] = /^0-(\d+)$/.exec(state.headers.get("range") ?? "") ?? [];
  // `0-0` is one byte or none.
  const saidBytes = last === "0" && acknowledgedBytes === 0 ? 0 : Number(last) + 1;
  if (saidBytes < acknowledgedBytes || saidBytes > content.byteLength)
    throw new Wrong(`${location} is at ${saidBytes}, was at ${acknowledgedBytes} of ${content.byteLength}`);
  const digest = digestOf(content);
  const put = async (startByte: number): Promise<Response> =>
    get(endpoint, `${location}?digest=${digest}`, {
      method: "PUT",
      body: new Uint8Array(content.subarray(startByte)),
      headers: startByte === content.byteLength ? {} : { "Content-Range": `${startByte}-${content.byteLength - 1}` },
    });
  let ended = await put(saidBytes);
  if (ended.status === 416 && saidBytes === 0) ended = await put(1);
  if (ended.status !== 201) throw new Wrong(`going on at ${saidBytes} of ${location}: ${ended.status}`);
  ledger.blobs.add(`${repository}/blobs/${digest}`);
  return "went on";
}

/** An answer that no registry may give. */
export class Wrong extends Error {}

class Writer {
  readonly #endpoint: Endpoint;
  readonly #options: WriterOptions;
  interrupted: Interrupted | undefined;

  constructor(endpoint: Endpoint, options: WriterOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  async pushImage(tag: string): Promise<void> {
    const layers: Record<string, unknown>[] = [];
    for (let count = 1 + Math.floor(Math.random() * 3); count > 0; count--) layers.push(await this.#pushBlob());
    const config = await this.#pushBlob();
    await this.#pushManifest(tag, JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }));
  }

  async #pushBlob(): Promise<Record<string, unknown>> {
    const { repository, ledger, reached, blobMaxBytes } = this.#options;
    const known = ledger.recent[Math.floor(Math.random() * onceMoreOf * ledger.recent.length)];
    // Most blobs are small, some are large.
    const content = known ?? randomBytes(1 + Math.floor(Math.random() ** 3 * blobMaxBytes));
    const digest = digestOf(content);
    const begun = await this.#ask(`/v2/${repository}/blobs/uploads/`, { method: "POST" }, 202);
    const upload = { repository, location: begun.headers.get("location") ?? "", content };
    this.interrupted = { ...upload, acknowledgedBytes: 0, isEnding: false };
    reached("upload begun");
    const cut = Math.floor(Math.random() * content.byteLength);
    if (cut > 0) {
      await this.#ask(upload.location, { method: "PATCH", body: new Uint8Array(content.subarray(0, cut)) }, 202);
      this.interrupted = { ...upload, acknowledgedBytes: cut, isEnding: false };
      reached("piece taken");
    }
    this.interrupted = { ...upload, acknowledgedBytes: cut, isEnding: true };
    const init = { method: "PUT", body: new Uint8Array(content.subarray(cut)) };
    const ending = this.#ask(`${upload.location}?digest=${digest}`, init, 201);
    reached("end sent");
    await ending;
    ledger.blobs.add(`${repository}/blobs/${digest}`);
    ledger.recent.unshift(content);
    ledger.recent.splice(recentMax);
    this.interrupted = undefined;
    reached("blob answered");
    return { mediaType: "application/octet-stream", digest, size: content.byteLength };
  }

  async #pushManifest(tag: string, text: string): Promise<void> {
    const { repository, ledger, reached } = this.#options;
    const digest = digestOf(text);
    const tagged = `${repository}/manifests/${tag}`;
    const before = ledger.tags.get(tagged)?.slice(-1) ?? ["none"];
    ledger.tags.set(tagged, [...before, digest]);
    const init = { method: "PUT", body: text, headers: { "Content-Type": manifestType } };
    const putting = this.#ask(`/v2/${tagged}`, init, 201);
    reached("manifest sent");
    await putting;
    ledger.manifests.set(`${repository}/manifests/${digest}`, text);
    ledger.tags.set(tagged, [digest]);
    reached("manifest answered");
  }

  async #ask(path: string, init: RequestInit, status: number): Promise<Response> {
    const reply = await get(this.#endpoint, path, init);
    await reply.arrayBuffer();
    if (reply.status !== status) throw new Wrong(`${init.method} ${path}: ${reply.status} in place of ${status}`);
    return reply;
  }
}
