import { type BigIntStats, realpathSync, statSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Tells of every entry of a folder that changes, until it is closed. Throws when the folder cannot be watched. */
type WatchFolder = (folder: string, onEvent: () => void) => { close(): void };

/** What a watch is made with. */
export interface WatchOptions {
  /** Called once for each change, after it has settled. It must not throw. */
  readonly onChange: () => void;
  /** Runs the action once after the delay; what it returns takes that back. */
  readonly schedule: (delayMs: number, action: () => void) => () => void;
  /** How long files must stay as they are before a change counts: editors write in several steps. */
  readonly settleMs: number;
  /** How often to look without being told: some file systems tell nothing. */
  readonly pollMs: number;
  readonly watchFolder: WatchFolder;
}

/** A watch that runs until it is closed. */
export interface FileWatch {
  close(): void;
}

/** Half a second and half a minute, by the system's timers and file events. */
export const systemWatch: Omit<WatchOptions, "onChange"> = {
  schedule(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  settleMs: 250,
  pollMs: 30_000,
  watchFolder(folder, onEvent) {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on("error", onEvent);
    return watcher;
  },
};

/**
 * Watches files for changes from now on. The folders are what is watched, those of the names and those that links lead to, so that a file
 * put in another's place is seen, and so is Kubernetes' swap of `..data`. Files that are not there yet, or no more, are watched too.
 */
export function watchFiles(paths: readonly string[], options: WatchOptions): FileWatch {
  return new FolderWatch(paths, options);
}

interface WatchedFolder {
  readonly identity: string;
  close(): void;
}

class FolderWatch implements FileWatch {
  readonly #paths: readonly string[];
  readonly #options: WatchOptions;
  readonly #folders = new Map<string, WatchedFolder>();
  /** What the files were at the last look, and when `onChange` was last called. */
  #seen: string;
  #told: string;
  #cancelLook: (() => void) | undefined;
  #cancelPoll: () => void;

  constructor(paths: readonly string[], options: WatchOptions) {
    this.#paths = paths;
    this.#options = options;
    this.#watchFolders();
    this.#seen = this.#identities();
    this.#told = this.#seen;
    this.#cancelPoll = this.#poll();
  }

  close(): void {
    this.#cancelLook?.();
    this.#cancelPoll();
    for (const folder of this.#folders.values()) folder.close();
    this.#folders.clear();
  }

  #poll(): () => void {
    return this.#options.schedule(this.#options.pollMs, () => {
      this.#cancelPoll = this.#poll();
      this.#look();
    });
  }

  /** Events are many and are not taken one by one: what is pending looks at all files anyway. */
  #lookSoon(): void {
    this.#cancelLook ??= this.#options.schedule(this.#options.settleMs, () => this.#look());
  }

  #look(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#watchFolders();
    const now = this.#identities();
    if (now !== this.#seen) {
      this.#seen = now;
      this.#lookSoon();
    } else if (now !== this.#told) {
      this.#told = now;
      this.#options.onChange();
    }
  }

  #identities(): string {
    return this.#paths.map(identityOf).join("\n");
  }

  /** Watches the folders that matter now; one that was replaced by another of its name is watched anew. */
  #watchFolders(): void {
    const wanted = new Set(this.#paths.flatMap((path) => [dirname(path), dirname(realPath(path))]));
    for (const [folder, watched] of this.#folders) {
      if (wanted.has(folder)) continue;
      watched.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    const identity = folderIdentity(folder);
    const watched = this.#folders.get(folder);
    if (watched?.identity === identity) return;
    watched?.close();
    this.#folders.delete(folder);
    try {
      const watcher = this.#options.watchFolder(folder, () => this.#lookSoon());
      this.#folders.set(folder, { identity, close: () => watcher.close() });
    } catch {
      // It is not there, or there are no watches left: the poll looks again.
    }
  }
}

/** Differs whenever a file was written to or replaced, links followed. */
function identityOf(path: string): string {
  const found = statOf(path);
  return found === undefined ? "absent" : `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
}

function folderIdentity(folder: string): string {
  const found = statOf(folder);
  return found === undefined ? "absent" : `${found.dev} ${found.ino}`;
}

/** `undefined` for what is not there, may not be looked at, or is a link that leads nowhere. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
