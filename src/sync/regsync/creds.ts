import type { BudgetEntry } from "../../config/file.ts";
import type { Path } from "../../config/problem.ts";
import { parseHost } from "../../reference/host.ts";
import { isNameFrom } from "../../reference/repository.ts";
import type { Reading, RegistryDraft } from "../reading.ts";
import { expandNow } from "./expand.ts";
import type { CredsText } from "./file.ts";
import { onlyFile } from "./go-template.ts";

/** What an element of `creds` says of a registry. */
export function registryOf(reading: Reading, creds: CredsText, path: Path): readonly RegistryDraft[] {
  const name = expandNow(reading, creds.registry, [...path, "registry"]);
  const host = name === undefined ? undefined : parseHost(name);
  if (host === undefined) {
    if (name !== undefined) reading.findings.problem([...path, "registry"], "is no registry's host");
    return [];
  }
  const isPlain = creds.tls === "disabled" || (creds.tls === undefined && creds.scheme === "http");
  const ca = creds.regcert === undefined ? undefined : expandNow(reading, creds.regcert, [...path, "regcert"]);
  const draft: RegistryDraft = {
    host,
    at: path,
    entry: {
      ...urlOf(reading, { creds, path, host, isPlain }),
      ...(isPlain || creds.tls === "insecure" ? { insecure: true } : {}),
      ...prefixOf(reading, creds, path),
      ...budgetOf(creds),
      ...passwordFile(reading, creds, path),
    },
    ca: ca === "" ? undefined : ca,
  };
  return [draft.entry.credentials === undefined ? { ...draft, ...loginOf(reading, creds, path) } : draft];
}

interface Address {
  readonly creds: CredsText;
  readonly path: Path;
  readonly host: string;
  readonly isPlain: boolean;
}

function urlOf({ findings }: Reading, { creds, path, host, isPlain }: Address): { readonly url?: string } {
  const hostname = creds.hostname === undefined ? undefined : parseHost(creds.hostname);
  if (creds.hostname !== undefined && hostname === undefined) {
    findings.problem([...path, "hostname"], "is no host such as registry.example:5000");
  }
  if (!isPlain && hostname === undefined) return {};
  return { url: `${isPlain ? "http" : "https"}://${hostname ?? host}` };
}

function prefixOf({ findings }: Reading, { pathPrefix }: CredsText, path: Path): { readonly path?: string } {
  if (pathPrefix === undefined || pathPrefix === "") return {};
  if (isNameFrom(pathPrefix, 0)) return { path: pathPrefix };
  findings.problem([...path, "pathPrefix"], "must be segments of a repository such as team/images");
  return {};
}

/** So many requests in a second, or one in so many. */
function budgetOf({ reqPerSec, reqConcurrent }: CredsText): { readonly budget?: BudgetEntry } {
  const rate = Number(reqPerSec ?? 0);
  const concurrent = Number(reqConcurrent ?? 0);
  if (rate === 0 && concurrent === 0) return {};
  const requests = Math.max(1, Math.floor(rate));
  const perMs = Math.round((requests / rate) * 1000);
  return {
    budget: {
      ...(rate > 0 ? { requests, per: `${perMs}ms` } : {}),
      ...(concurrent > 0 ? { concurrent } : {}),
    },
  };
}

/** A password that is a file's whole content stays there until it is used. */
function passwordFile(
  reading: Reading,
  { user, pass }: CredsText,
  path: Path,
): Pick<RegistryDraft["entry"], "credentials"> {
  const file = pass === undefined ? undefined : onlyFile(pass);
  if (file === undefined || user === undefined) return {};
  const username = expandNow(reading, user, [...path, "user"]);
  return username === undefined ? {} : { credentials: { username, passwordFile: file } };
}

function loginOf(reading: Reading, creds: CredsText, path: Path): Pick<RegistryDraft, "login"> {
  const { user, pass, credHelper } = creds;
  if (user === undefined && pass === undefined) {
    return credHelper === undefined || credHelper === "" ? {} : helperOf(reading, credHelper, path);
  }
  const username = expandNow(reading, user ?? "", [...path, "user"]);
  const password = expandNow(reading, pass ?? "", [...path, "pass"]);
  if (username === undefined || password === undefined) return {};
  if (username === "" && password === "") return {};
  return { login: { kind: "password", username, password: () => password } };
}

const HELPER = "docker-credential-";

function helperOf({ findings }: Reading, credHelper: string, path: Path): Pick<RegistryDraft, "login"> {
  const helper = credHelper.slice(HELPER.length);
  if (credHelper.startsWith(HELPER) && /^[A-Za-z0-9._-]+$/.test(helper)) return { login: { kind: "helper", helper } };
  findings.problem([...path, "credHelper"], `must be the name of a program that begins with ${HELPER}`);
  return {};
}
