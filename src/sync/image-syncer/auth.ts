import type { Path } from "../../config/problem.ts";
import { parseHost, type RegistryHost } from "../../reference/host.ts";
import type { Reading, RegistryDraft } from "../reading.ts";
import { expandVariables } from "./variables.ts";

/** A login of image-syncer's, by registry or by registry and path. */
export interface SyncerAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/** How registries are reached. One has one login here: its own, or without that the first for a path of it, which is said. */
export function imageSyncerRegistries(
  reading: Reading,
  auth: Readonly<Record<string, SyncerAuth>>,
): readonly RegistryDraft[] {
  const drafts = new Map<RegistryHost, RegistryDraft>();
  const byLength = Object.entries(auth).toSorted(([a], [b]) => a.split("/").length - b.split("/").length);
  for (const [name, entry] of byLength) {
    const path = ["auth", name];
    const host = parseHost(name.split("/")[0] ?? "");
    if (host === undefined) {
      reading.findings.problem(path, "is no registry's host", "key");
    } else if (drafts.has(host)) {
      reading.findings.warning(path, `is NOT used: a registry has one login here, and ${host} has another`);
    } else {
      if (name.includes("/"))
        reading.findings.warning(path, `is used for all of ${host}: a registry has one login here`);
      drafts.set(host, draftOf(reading, host, entry, path));
    }
  }
  return [...drafts.values()];
}

function draftOf(reading: Reading, host: RegistryHost, entry: SyncerAuth, path: Path): RegistryDraft {
  const username = expandVariables(reading, entry.username ?? "", [...path, "username"]);
  const password = expandVariables(reading, entry.password ?? "", [...path, "password"]);
  const isInsecure = entry.insecure === true;
  const draft: RegistryDraft = {
    host,
    at: path,
    entry: isInsecure ? { insecure: true } : {},
    triesPlainHttp: isInsecure,
  };
  if (username === undefined || password === undefined || (username === "" && password === "")) return draft;
  return { ...draft, login: { kind: "password", username, password: () => password } };
}
