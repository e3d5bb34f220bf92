/** The forms of sync files: our own, and those of others. */
export type SyncFormat = "image-syncer" | "periplus" | "regsync" | "skopeo";

/** Every form, by the name that forces it. */
export const syncFormats: readonly SyncFormat[] = ["periplus", "regsync", "skopeo", "image-syncer"];

/** Which form a file has, told by its keys; `undefined` where nothing tells. Our own where it is neither. */
export function detectFormat(value: unknown): SyncFormat | undefined {
  if (!isMapping(value)) return undefined;
  const keys = new Set(Object.keys(value));
  if (keys.has("sync")) return isRegsync(value, keys) ? "regsync" : "periplus";
  if (keys.has("registries")) return "periplus";
  if (keys.has("creds")) return "regsync";
  if (keys.size === 0) return undefined;
  if (isMapping(value["images"])) return "image-syncer";
  const values = Object.values(value);
  if (values.every(isSkopeoRegistry)) return "skopeo";
  return values.every(isDestination) && [...keys].some((key) => key.includes("/")) ? "image-syncer" : undefined;
}

/** Keys that ours does not have, at the top or in an entry, and none that only ours has. */
function isRegsync(value: Readonly<Record<string, unknown>>, keys: ReadonlySet<string>): boolean {
  if (keys.has("registries")) return false;
  const entries: readonly unknown[] = Array.isArray(value["sync"]) ? value["sync"] : [];
  const has = (key: string): boolean => entries.some((entry) => isMapping(entry) && Object.hasOwn(entry, key));
  if (has("from") || has("to")) return false;
  return keys.has("creds") || keys.has("version") || has("source") || has("target");
}

const skopeoKeys: readonly string[] = [
  "images",
  "images-by-tag-regex",
  "images-by-semver",
  "credentials",
  "tls-verify",
  "cert-dir",
];

function isSkopeoRegistry(value: unknown): boolean {
  return isMapping(value) && skopeoKeys.some((key) => Object.hasOwn(value, key));
}

function isDestination(value: unknown): boolean {
  return typeof value === "string" || (Array.isArray(value) && value.every((item) => typeof item === "string"));
}

/** True for a mapping of keys to values. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
