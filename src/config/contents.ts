import { isCertificate } from "./certificate.ts";
import { Failure } from "../errors/failure.ts";
import { parseCloudLists } from "../net/cloud-list.ts";
import { type TlsEntry as TlsTexts, tlsOptions } from "../net/tls.ts";
import { type Draft, fromFile } from "./draft.ts";
import type { TlsEntry } from "./file.ts";
import { type NamedFile, namedFiles } from "./files.ts";

/** Checks what stands in the files that the configuration names. Messages say what is wrong with a file, never what is in it. */
export function checkContents(draft: Draft): void {
  for (const file of namedFiles(draft.config)) {
    const content = draft.contents.get(fromFile(draft, file.path));
    if (content === undefined) continue;
    const fault = content.kind === "unreadable" ? content.reason : faultOf(file.holds, content.text);
    if (fault !== undefined) draft.findings.problem(file.at, `${file.path} ${fault}`);
  }
  checkTls(draft);
}

/** Certificates and keys are looked at together, one entry alone and then beside those before it. */
function checkTls(draft: Draft): void {
  const texts = (draft.config.tls ?? []).map((entry) => tlsTexts(draft, entry));
  for (const [index, entry] of texts.entries()) {
    const before = texts.slice(0, index).filter((other) => other !== undefined);
    if (entry === undefined) continue;
    const alone = tlsOptions([entry], 0);
    const together = alone instanceof Failure ? alone : tlsOptions([...before, entry], 0);
    if (together instanceof Failure) draft.findings.problem(["tls", index], together.message);
  }
}

/** An entry's files as far as they could be read; that one could not is said of the file itself. */
function tlsTexts(draft: Draft, { cert, key, clientCA }: TlsEntry): TlsTexts | undefined {
  const pem = (path: string): TlsTexts["cert"] | undefined => {
    const content = draft.contents.get(fromFile(draft, path));
    return content?.kind === "text" ? { path, text: content.text } : undefined;
  };
  const certPem = pem(cert);
  const keyPem = pem(key);
  const clientPem = clientCA === undefined ? undefined : pem(clientCA);
  if (certPem === undefined || keyPem === undefined) return undefined;
  return { cert: certPem, key: keyPem, clientCA: clientPem };
}

function faultOf(holds: NamedFile["holds"], text: string): string | undefined {
  switch (holds) {
    case "tls":
      return undefined;
    case "authority":
      return isCertificate(text) ? undefined : "is no PEM certificate";
    case "cloud-ranges":
      return cloudRangesFault(text);
    case "users":
    case "password":
      return text.trim() === "" ? "is empty" : undefined;
  }
}

function cloudRangesFault(text: string): string | undefined {
  const read = parseCloudLists(text);
  return read.kind === "lists" ? undefined : `is no list of cloud ranges: ${read.problems.slice(0, 3).join("; ")}`;
}
