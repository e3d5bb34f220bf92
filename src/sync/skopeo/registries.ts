import { parseHost } from "../../reference/host.ts";
import { type Reading, type RegistryDraft, resolveFrom } from "../reading.ts";
import type { SkopeoRegistry } from "./schema.ts";

/** How a registry of the file is reached, where the file says something of it. */
export function skopeoRegistries(reading: Reading, name: string, registry: SkopeoRegistry): readonly RegistryDraft[] {
  const host = parseHost(name.split("/")[0] ?? "");
  const { credentials, "tls-verify": verifies, "cert-dir": folder } = registry;
  if (host === undefined || (!credentials && verifies === undefined && folder === undefined)) return [];
  const { username = "", password = "" } = credentials ?? {};
  const draft: RegistryDraft = {
    host,
    at: [name],
    entry: verifies === false ? { insecure: true } : {},
    triesPlainHttp: verifies === false,
    ca: folder === undefined ? undefined : authorityIn(reading, name, folder),
  };
  if (username === "" && password === "") return [draft];
  return [{ ...draft, login: { kind: "password", username, password: () => password } }];
}

function authorityIn({ findings, contents, ...reading }: Reading, name: string, folder: string): string | undefined {
  const content = contents.get(resolveFrom(reading, folder));
  if (content?.kind === "unreadable") findings.problem([name, "cert-dir"], `${folder} ${content.reason}`);
  if (content?.kind !== "text" || content.text === "") return undefined;
  return content.text;
}
