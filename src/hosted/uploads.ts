import { algorithmOf, type Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import { Turns } from "../store/turns.ts";
import type { UploadStore } from "../store/uploads.ts";
import { type Body, type FindHeld, UploadSession } from "./session.ts";
import { Shares } from "./shares.ts";

/** Bytes to be put behind an upload; where the sender says they belong, they must belong there. */
export interface UploadPart {
  readonly startByte: number | undefined;
  readonly body: Body;
}

/** There is no such upload in this repository, or not any more. */
export interface UnknownUpload {
  readonly kind: "unknown";
}

/** An upload as far as it is: whether it can go on there, or what was sent does not belong there or broke off on its way. */
export interface UploadState {
  readonly kind: "open" | "out-of-order" | "cut";
  readonly sizeBytes: number;
}

/** Where uploads end. */
export interface UploadKeeper {
  /** Finds the content where it is held already and may be known to be. */
  readonly findHeld: FindHeld;
  /** Keeps an upload whose bytes are those of its digest. The file is the keeper's from here on. */
  readonly keep: (session: UploadSession) => Promise<void>;
}

/** How an upload ended: kept, or its bytes were others. */
export type EndedUpload =
  | { readonly kind: "kept"; readonly sizeBytes: number }
  | { readonly kind: "wrong-digest"; readonly digest: Digest }
  | UnknownUpload
  | UploadState;

/** What uploads are made with. */
export interface UploadParts {
  readonly store: UploadStore;
  /** Makes room on a full disk; false when nothing could be had. */
  readonly makeRoom: (neededBytes: number) => Promise<boolean>;
  /** 32 hex digits that nobody can guess. */
  readonly randomId: () => string;
}

/** Sessions whose files stay open between requests. */
const openMax = 512;

/**
 * Uploads on their way in. An upload belongs to the repository it was begun in: its id says so, so that no row has to be
 * written for it. Requests for the same upload take turns.
 */
export class Uploads {
  readonly #parts: UploadParts;
  readonly #open = new Map<string, UploadSession>();
  readonly #turns = new Turns<string>();
  readonly #shares = new Shares();
  readonly #busy = new Set<string>();

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  /** Begins an upload; its id. */
  async begin(repository: Repository): Promise<string> {
    const { store, randomId, makeRoom } = this.#parts;
    const id = `${randomId()}-${markOf(repository)}`;
    const draft = await store.begin(id);
    this.#open.set(id, new UploadSession({ draft, sizeBytes: 0 }, makeRoom));
    await this.#closeIdle();
    return id;
  }

  state(repository: Repository, id: string): Promise<UploadState | UnknownUpload> {
    return this.#use(repository, id, async ({ sizeBytes }) => ({ kind: "open", sizeBytes }));
  }

  /** Puts bytes behind what is there. What came of a body that broke off stays. */
  append(repository: Repository, id: string, part: UploadPart): Promise<UploadState | UnknownUpload> {
    return this.#use(repository, id, (session) => this.#append(id, session, part));
  }

  /**
   * Puts the last bytes behind what is there and keeps the whole, if its digest is this one. Otherwise it is given up; where
   * keeping fails as well, since what a sync has failed for may not be what is on the disk.
   */
  async end(
    upload: { readonly repository: Repository; readonly id: string; readonly digest: Digest },
    part: UploadPart | undefined,
    keeper: UploadKeeper,
  ): Promise<EndedUpload> {
    const { repository, id, digest } = upload;
    return this.#use(repository, id, async (session): Promise<EndedUpload> => {
      session.expect(algorithmOf(digest));
      const state = part === undefined ? undefined : await this.#append(id, session, part, keeper.findHeld);
      if (state !== undefined && state.kind !== "open") return state;
      const actual = await session.digest(digest);
      if (actual !== digest) {
        await this.#giveUp(id, session);
        return { kind: "wrong-digest", digest: actual };
      }
      await keeper.keep(session).catch(async (error: unknown) => {
        await this.#giveUp(id, session);
        throw error;
      });
      await this.#letGo(id, session);
      return { kind: "kept", sizeBytes: session.sizeBytes };
    });
  }

  /** Gives an upload up. */
  cancel(repository: Repository, id: string): Promise<{ readonly kind: "cancelled" } | UnknownUpload> {
    return this.#use(repository, id, async (session) => {
      await this.#giveUp(id, session);
      return { kind: "cancelled" };
    });
  }

  /** Removes those that nobody has written to since; how many. Their files are let go of, so that their room is free. */
  async sweep(beforeMs: number): Promise<number> {
    const ids = await this.#parts.store.sweep(beforeMs);
    for (const id of ids) {
      const session = this.#open.get(id);
      if (session !== undefined && !this.#busy.has(id)) await this.#letGo(id, session);
    }
    return ids.length;
  }

  /** Lets go of all files; what is in them stays. */
  async close(): Promise<void> {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(sessions.map(({ draft }) => draft.close()));
  }

  #use<T>(
    repository: Repository,
    id: string,
    work: (session: UploadSession) => Promise<T>,
  ): Promise<T | UnknownUpload> {
    return this.#turns.run(id, async () => {
      this.#busy.add(id);
      try {
        const session = id.endsWith(`-${markOf(repository)}`) ? await this.#session(id) : undefined;
        return session === undefined ? { kind: "unknown" } : await work(session);
      } finally {
        this.#busy.delete(id);
      }
    });
  }

  async #session(id: string): Promise<UploadSession | undefined> {
    const { store, makeRoom } = this.#parts;
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    const reopened = await store.reopen(id);
    if (reopened === undefined) return undefined;
    const session = new UploadSession(reopened, makeRoom);
    this.#open.set(id, session);
    await this.#closeIdle();
    return session;
  }

  /** After an error of the disk the file is opened anew when it is asked for next, and says itself how far it is. */
  async #append(id: string, session: UploadSession, part: UploadPart, findHeld?: FindHeld): Promise<UploadState> {
    try {
      return await append(session, { ...part, body: this.#shares.of(part.body) }, findHeld);
    } finally {
      if (session.isBroken) await this.#letGo(id, session);
    }
  }

  async #giveUp(id: string, session: UploadSession): Promise<void> {
    try {
      await session.draft.discard();
    } finally {
      await this.#letGo(id, session);
    }
  }

  async #letGo(id: string, { draft }: UploadSession): Promise<void> {
    this.#open.delete(id);
    await draft.close();
  }

  /** Closes the files of those that were opened longest ago, when there are too many. */
  async #closeIdle(): Promise<void> {
    for (const [id, session] of this.#open) {
      if (this.#open.size <= openMax) return;
      if (!this.#busy.has(id)) await this.#letGo(id, session);
    }
  }
}

async function append(
  session: UploadSession,
  { startByte, body }: UploadPart,
  findHeld: FindHeld | undefined,
): Promise<UploadState> {
  if (startByte !== undefined && startByte !== session.sizeBytes) {
    return { kind: "out-of-order", sizeBytes: session.sizeBytes };
  }
  const isWhole = await session.append(body, findHeld);
  return { kind: isWhole ? "open" : "cut", sizeBytes: session.sizeBytes };
}

function markOf(repository: Repository): string {
  return new Bun.CryptoHasher("sha256").update(repository).digest("hex").slice(0, 16);
}
