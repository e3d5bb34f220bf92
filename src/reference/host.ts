/**
 * The name of a registry as people write it and as upstreams are keyed: a lower-case host with an optional port
 * (`registry.k8s.io`, `localhost:5000`), with known second names folded to one.
 */
export type RegistryHost = string & { readonly __brand: "RegistryHost" };

/** The registry that a name without a host belongs to. */
export const dockerHub: RegistryHost = "docker.io" as RegistryHost;

/** Stands for our own registry where content is told apart by registry. No name of a host can be it. */
export const ownRegistry: RegistryHost = "@own" as RegistryHost;

const secondNames: ReadonlyMap<string, RegistryHost> = new Map([
  ["index.docker.io", dockerHub],
  ["registry-1.docker.io", dockerHub],
  ["registry.hub.docker.com", dockerHub],
]);

const hostMaxLength = 260;

/**
 * Parses `host[:port]`, `a.b.c.d[:port]` or `[v6][:port]`: lower case, without a trailing dot or `:443`, second names
 * folded. `undefined` when it is not a host.
 */
export function parseHost(text: string): RegistryHost | undefined {
  if (text.length === 0 || text.length > hostMaxLength) return undefined;
  const colon = text.lastIndexOf(":");
  const bracket = text.lastIndexOf("]");
  const name = colon > bracket ? text.slice(0, colon) : text;
  const port = colon > bracket ? text.slice(colon + 1) : undefined;
  if (port !== undefined && !isPort(port)) return undefined;
  const host = hostName(name);
  if (host === undefined) return undefined;
  const isDefaultPort = port === "443" && looksLikeHost(host);
  const folded = port === undefined || isDefaultPort ? host : `${host}:${port}`;
  return secondNames.get(folded) ?? (folded as RegistryHost);
}

/**
 * True when the first segment of a reference is a registry's host and not a part of the repository: it has a `.` or a
 * `:`, or is `localhost`. The rule that Docker and containerd follow.
 */
export function looksLikeHost(segment: string): boolean {
  return segment === "localhost" || segment.includes(".") || segment.includes(":");
}

function isPort(text: string): boolean {
  if (text.length === 0 || text.length > 5) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 48 || text.charCodeAt(i) > 57) return false;
  return Number(text) > 0 && Number(text) < 65_536;
}

function hostName(text: string): string | undefined {
  if (text.startsWith("[")) return /^\[[0-9a-fA-F:.]{2,45}\]$/.test(text) ? text.toLowerCase() : undefined;
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (name.length === 0) return undefined;
  return name.split(".").every(isLabel) ? name : undefined;
}

function isLabel(label: string): boolean {
  return label.length <= 63 && /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/.test(label);
}
