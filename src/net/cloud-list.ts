import { type Cidr, parseCidr } from "./cidr.ts";
import type { CloudName } from "./cloud-ranges.ts";

/** One cloud's list: when it was published, as it says itself, and its blocks in the order given. */
export interface CloudList {
  readonly published: string;
  readonly blocks: readonly RegionBlock[];
}

/** A block of a list; no region where the cloud announces it for all regions alike ("GLOBAL", "global"). */
interface RegionBlock {
  readonly region: string | undefined;
  readonly cidr: Cidr;
}

/** The lists of all clouds, or everything that is wrong with them, each with its place in the document. */
export type CloudLists =
  | { readonly kind: "lists"; readonly lists: Readonly<Record<CloudName, CloudList>> }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

type JsonObject = Readonly<Record<string, unknown>>;

/** 32 MiB: sixty times what the clouds publish today, and far less than would hurt. */
const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;
/** Shorter prefixes than clouds hold: a slip that would send half the internet to one bucket. */
const SHORTEST_PREFIX_BITS = { v4: 8, v6: 16 } as const;
const REGION = /^[A-Za-z0-9-]{1,64}$/;
/** Under which key each cloud dates its list. */
const DATE_KEYS = { aws: "createDate", gcp: "creationTime", azure: "snapshot" } as const;

/** Reads `{"aws": {"createDate": …, "prefixes": {REGION: [CIDR, …]}}, "gcp": {"creationTime": …}, "azure": {"snapshot": …}}`. */
export function parseCloudLists(json: string | Uint8Array): CloudLists {
  const sizeBytes = typeof json === "string" ? json.length : json.byteLength;
  if (sizeBytes > MAX_DOCUMENT_BYTES)
    return { kind: "problems", problems: [`larger than ${MAX_DOCUMENT_BYTES} bytes`] };
  const document = parseObject(json);
  if (document === undefined) return { kind: "problems", problems: ["not a JSON object"] };
  const problems: string[] = [];
  const lists = {
    aws: readList(document, "aws", problems),
    gcp: readList(document, "gcp", problems),
    azure: readList(document, "azure", problems),
  };
  return problems.length > 0 ? { kind: "problems", problems } : { kind: "lists", lists };
}

function parseObject(json: string | Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(
      typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json),
    );
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readList(document: JsonObject, cloud: CloudName, problems: string[]): CloudList {
  const list = document[cloud];
  if (!isObject(list) || !isObject(list["prefixes"])) {
    problems.push(`${cloud}.prefixes is missing`);
    return { published: "", blocks: [] };
  }
  const published = list[DATE_KEYS[cloud]];
  if (typeof published !== "string") problems.push(`${cloud}.${DATE_KEYS[cloud]} is missing`);
  const regions = Object.entries(list["prefixes"]);
  const blocks = regions.flatMap(([region, cidrs]) => readRegion(`${cloud}.prefixes`, region, cidrs, problems));
  if (blocks.length === 0) problems.push(`${cloud}.prefixes has no block`);
  return { published: String(published), blocks };
}

function readRegion(path: string, region: string, cidrs: unknown, problems: string[]): readonly RegionBlock[] {
  if (!REGION.test(region)) {
    problems.push(`${path}: ${shown(region)} is no region name`);
    return [];
  }
  if (!Array.isArray(cidrs)) {
    problems.push(`${path}.${region} is no list`);
    return [];
  }
  const blocks: RegionBlock[] = [];
  for (const [index, text] of cidrs.entries()) {
    const cidr = typeof text === "string" ? parseCidr(text) : undefined;
    if (cidr !== undefined && cidr.prefixBits >= SHORTEST_PREFIX_BITS[cidr.address.kind]) {
      blocks.push({ region: region.toLowerCase() === "global" ? undefined : region, cidr });
    } else problems.push(`${path}.${region}[${index}]: ${shown(text)} is no block a cloud could hold`);
  }
  return blocks;
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : `a ${typeof value}`;
}
