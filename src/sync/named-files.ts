import { resolve } from "node:path";
import { type FileContent, readContent, type ReadFile } from "../config/files.ts";
import { isMapping, type SyncFormat } from "./format.ts";

/** The names in a folder. Rejects with the system's error, whose `code` says why. */
type ReadFolder = (path: string) => Promise<readonly string[]>;

/** The disk, as far as a sync file may name parts of it. */
export interface Disk {
  readonly readFile: ReadFile;
  readonly readFolder: ReadFolder;
}

/** A file or, for skopeo's `cert-dir`, a folder that a sync file names. */
interface Named {
  readonly path: string;
  readonly isFolder: boolean;
}

/** Names beyond these are no settings. */
const MAX_FILES = 1000;

/** What is in every file that a sync file of this form names, by absolute path. Nothing is checked yet: what is no text is passed over. */
export async function readNamedFiles(
  format: SyncFormat,
  value: unknown,
  file: string,
  disk: Disk,
): Promise<ReadonlyMap<string, FileContent>> {
  const named = (await namedIn(format, value)).slice(0, MAX_FILES);
  const read = async ({ path, isFolder }: Named): Promise<readonly [string, FileContent]> => {
    const absolute = resolve(file, "..", path);
    return [absolute, isFolder ? await certificatesIn(absolute, disk) : await readContent(disk.readFile, absolute)];
  };
  return new Map(await Promise.all(named.map(read)));
}

async function namedIn(format: SyncFormat, value: unknown): Promise<readonly Named[]> {
  switch (format) {
    case "periplus":
      return membersOf(isMapping(value) ? value["registries"] : undefined, "ca").map((path) => ({
        path,
        isFolder: false,
      }));
    case "regsync": {
      const { fileArguments } = await import("./regsync/go-template.ts");
      return textsIn(value)
        .flatMap(fileArguments)
        .map((path) => ({ path, isFolder: false }));
    }
    case "skopeo":
      return membersOf(value, "cert-dir").map((path) => ({ path, isFolder: true }));
    case "image-syncer":
      return [];
  }
}

/** A text member of every mapping in a mapping. */
function membersOf(value: unknown, key: string): readonly string[] {
  const members = isMapping(value) ? Object.values(value) : [];
  return members
    .map((member) => (isMapping(member) ? member[key] : undefined))
    .filter((text): text is string => typeof text === "string");
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isMapping(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** The authorities of a folder of certificates, one behind the other: `*.crt`, as docker has them. */
async function certificatesIn(folder: string, disk: Disk): Promise<FileContent> {
  const names: string[] = [];
  const content = await readContent(async (path) => {
    names.push(...(await disk.readFolder(path)));
    return "";
  }, folder);
  if (content.kind === "unreadable") return content;
  const files = names.filter((name) => name.endsWith(".crt")).toSorted();
  const contents = await Promise.all(files.map((name) => readContent(disk.readFile, resolve(folder, name))));
  const texts = contents.map((one) => (one.kind === "text" ? one.text : ""));
  return { kind: "text", text: texts.join("\n") };
}
