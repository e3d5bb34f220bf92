import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const prefix = "periplus-fill-";
/** A run changes its folder with every blob that it begins and ends. */
const forgottenAfterMs = 24 * 60 * 60 * 1000;

/** Makes a folder for the blobs of one run, and removes those of runs that were killed, a day after they last did something. */
export async function makeSpoolFolder(parent: string, epochMs: number): Promise<string> {
  const names = await readdir(parent).catch(() => []);
  await Promise.all(names.filter((name) => name.startsWith(prefix)).map((name) => forget(join(parent, name), epochMs)));
  return await mkdtemp(join(parent, prefix));
}

/** Of somebody else's folder nothing is removed, and nothing is said: it is theirs. */
async function forget(folder: string, epochMs: number): Promise<void> {
  try {
    const { mtimeMs } = await stat(folder);
    if (epochMs - mtimeMs > forgottenAfterMs) await rm(folder, { recursive: true, force: true });
  } catch {}
}
