/** Checks a user's password. Asynchronous: bcrypt runs off the event loop. */
export interface Users {
  check(name: string, password: string): Promise<boolean>;
}

/** A line of an htpasswd file that is no user with a bcrypt hash. */
export interface HtpasswdProblem {
  readonly line: number;
  readonly message: string;
}

const rememberMs = 60_000;
const rememberMax = 1000;

/** Reads an htpasswd file: `name:bcrypt hash` a line, `#` begins a comment. */
export function parseHtpasswd(text: string): {
  readonly hashes: ReadonlyMap<string, string>;
  readonly problems: readonly HtpasswdProblem[];
} {
  const hashes = new Map<string, string>();
  const problems: HtpasswdProblem[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const hash = line.slice(colon + 1);
    if (colon <= 0) problems.push({ line: i + 1, message: "not name:hash" });
    else if (!/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) {
      problems.push({ line: i + 1, message: "only bcrypt hashes are accepted (htpasswd -B)" });
    } else hashes.set(line.slice(0, colon), hash);
  }
  return { hashes, problems };
}

/** Users by bcrypt hash. A verified password is remembered for a minute under a keyed digest, never as itself. */
export function bcryptUsers(hashes: ReadonlyMap<string, string>, key: Uint8Array, nowMs: () => number): Users {
  const verified = new Map<string, number>();
  const checking = new Map<string, Promise<boolean>>();
  // An unknown name costs what a known one does, so that names cannot be found by time.
  const anyHash = hashes.values().next().value;
  const verify = async (name: string, password: string, mark: string): Promise<boolean> => {
    const hash = hashes.get(name);
    if (hash === undefined && anyHash === undefined) return false;
    const isRight = await Bun.password.verify(password, hash ?? anyHash ?? "", "bcrypt");
    if (!isRight || hash === undefined) return false;
    if (verified.size >= rememberMax) verified.clear();
    verified.set(mark, nowMs() + rememberMs);
    return true;
  };
  return {
    check: async (name, password) => {
      if (password === "" || password.length > 1024) return false;
      const mark = new Bun.CryptoHasher("sha256", key).update(JSON.stringify([name, password])).digest("base64");
      if ((verified.get(mark) ?? 0) > nowMs()) return true;
      const running = checking.get(mark) ?? verify(name, password, mark).finally(() => checking.delete(mark));
      checking.set(mark, running);
      return running;
    },
  };
}
