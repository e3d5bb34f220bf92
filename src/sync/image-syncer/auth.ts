import { parseHost } from "../../reference/host.ts";
import type { Reading, RegistryDraft } from "../reading.ts";
import { expandVariables } from "./variables.ts";

/** A login of image-syncer's, by registry or by registry and path. */
export interface SyncerAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/** How registries are reached. A registry has one login here, so those for a path are refused. */
export function imageSyncerRegistries(
  reading: Reading,
  auth: Readonly<Record<string, SyncerAuth>>,
): readonly RegistryDraft[] {
  return Object.entries(auth).flatMap(([name, entry]): readonly RegistryDraft[] => {
    const path = ["auth", name];
    const host = parseHost(name);
    if (host === undefined) {
      const isPath = parseHost(name.split("/")[0] ?? "") !== undefined;
      const message = isPath ? "is for a path; a registry has one login here" : "is no registry's host";
      reading.findings.problem(path, message, "key");
      return [];
    }
    const username = expandVariables(reading, entry.username ?? "", [...path, "username"]);
    const password = expandVariables(reading, entry.password ?? "", [...path, "password"]);
    const isInsecure = entry.insecure === true;
    const draft: RegistryDraft = {
      host,
      at: path,
      entry: isInsecure ? { insecure: true } : {},
      triesPlainHttp: isInsecure,
    };
    if (username === undefined || password === undefined || (username === "" && password === "")) return [draft];
    return [{ ...draft, login: { kind: "password", username, password: () => password } }];
  });
}
