import { readWhole } from "./body.ts";
import type { Unavailable } from "./remote.ts";

/** What a registry says was wrong. OCI distribution spec v1.1, "Error Codes". */
export interface OciError {
  /** Capitals, digits and underscores. */
  readonly code: string;
  /** One line without control characters; "" when it says nothing more. */
  readonly message: string;
}

const errorMaxBytes = 64 * 1024;
const messageMaxLength = 300;

/** Reads the first error of an answer's body, and gets rid of the body; `undefined` when it is none. Never fails. */
export async function readOciError(response: Response, signal: AbortSignal): Promise<OciError | undefined> {
  const body = await readWhole(response, { host: "", maxBytes: errorMaxBytes, signal });
  return body.kind === "bytes" ? parseOciError(new TextDecoder().decode(body.bytes)) : undefined;
}

/** The first error of `{"errors":[{"code","message","detail"}]}`. A detail that is text is put after the message. */
export function parseOciError(text: string): OciError | undefined {
  const [first] = listIn(parse(text), "errors");
  const code = textIn(first, "code");
  if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(code)) return undefined;
  const said = [textIn(first, "message"), textIn(first, "detail")].filter((part) => part !== "");
  return { code, message: oneLine(said.join(": ")) };
}

/** The same answer with what the registry said of it: its code, and its words in brackets. */
export function withError(answer: Unavailable, error: OciError | undefined): Unavailable {
  if (error === undefined) return answer;
  const said = error.message === "" ? error.code : `${error.code}: ${error.message}`;
  return { ...answer, code: error.code, message: `${answer.message} (${said})` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const found = valueIn(value, key);
  return Array.isArray(found) ? found : [];
}

function textIn(value: unknown, key: string): string {
  const found = valueIn(value, key);
  return typeof found === "string" ? found.trim() : "";
}

function valueIn(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)).get(key) : undefined;
}

/** Control and formatting characters could move a terminal's cursor or turn its text around. */
function oneLine(text: string): string {
  const clean = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return clean.length > messageMaxLength ? `${clean.slice(0, messageMaxLength).toWellFormed()}…` : clean;
}
