import { parseHost } from "../reference/host.ts";
import type { SyncFile } from "./file.ts";
import { entryOf } from "./entry.ts";
import { type Read, type ReadEntry, type Reading, readValid, type RegistryDraft, type Valid } from "./reading.ts";
import { syncJsonSchema, syncSchema } from "./schema.ts";

/** Reads a file in our own form. */
export function readOwn(reading: Reading, value: unknown): Read | undefined {
  const valid = readValid(reading, syncSchema, value, syncJsonSchema);
  if (valid === undefined) return undefined;
  const file = valid.value;
  return {
    entries: entriesOf(reading, valid),
    keys: { from: "from", tags: "tags", platforms: "platforms", backup: "backup", delete: "delete" },
    registries: registriesOf(file),
    dockerConfig: file.dockerConfig ?? true,
    parallel: file.parallel,
    createRepositories: file.createRepositories ?? false,
  };
}

function entriesOf(reading: Reading, { value: file, indexOf }: Valid<SyncFile>): readonly ReadEntry[] {
  const defaults = { ...file.defaults, schedule: file.schedule };
  if (file.defaults?.platform !== undefined && file.defaults.platforms !== undefined) {
    reading.findings.problem(["defaults", "platform"], "and platforms exclude each other");
  }
  return file.sync.flatMap((text, position): readonly ReadEntry[] => {
    const path = ["sync", indexOf("sync", position)];
    if (text.platform !== undefined && text.platforms !== undefined) {
      reading.findings.problem([...path, "platform"], "and platforms exclude each other");
    }
    const entry = entryOf(reading, text, path, defaults);
    if (entry === undefined) return [];
    const isDefaultDelete = text.delete === undefined && entry.images.kind === "one";
    return [{ entry: isDefaultDelete ? { ...entry, delete: false } : entry, path, targetPath: [...path, "to"] }];
  });
}

function registriesOf({ registries }: SyncFile): readonly RegistryDraft[] {
  return Object.entries(registries ?? {}).flatMap(([name, entry]) => {
    const host = parseHost(name);
    return host === undefined ? [] : [{ host, entry, at: ["registries", name] }];
  });
}
