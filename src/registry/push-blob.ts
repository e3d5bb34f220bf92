import { BlobSource } from "./blob-source.ts";
import { pause } from "./clock.ts";
import type { Operations } from "./operations.ts";
import type { Repository } from "../reference/repository.ts";
import type { CallLimits, Unavailable } from "./remote.ts";
import { isServerError } from "./statuses.ts";
import { cancelUpload, openUpload, type Opened, type UploadSession } from "./upload-session.ts";
import { causeOf, isFinal, locate, type Push, send, type State, type Upload } from "./upload-step.ts";
import type { BlobToPush, PushedBlob } from "./writable.ts";

/** Where a blob is pushed to, and within which limits. */
export interface PushQuestion {
  readonly repository: Repository;
  readonly limits: CallLimits;
}

/** Losses in a row without the registry having got further, and in all. */
const fruitlessMax = 5;
const lossesMax = 50;
const firstPauseMs = 500;

/**
 * Puts a blob into a repository: mounted, or sent by POST and one streamed PUT, which is the source's own body where it can be. What is
 * lost on the way is asked for and sent from there
 * on; an upload that is gone is begun anew; both within bounds, with pauses of random length. One that is not completed is cancelled.
 */
export async function pushBlob(
  operations: Operations,
  { repository, limits }: PushQuestion,
  blob: BlobToPush,
): Promise<PushedBlob> {
  const source = new BlobSource(blob);
  if (source.end !== undefined) return source.end;
  const question = { repository, digest: blob.digest, limits };
  const push = { operations, question, source, sizeBytes: blob.sizeBytes };
  const openSource = (): Promise<void> => source.openNative(operations.nativeTries);
  // What cannot be mounted is sent, so the source is opened while the upload is.
  const opening = blob.mountFrom.length === 0 ? openSource() : undefined;
  try {
    const opened = await begin(push, blob.mountFrom);
    await opening;
    if (opened.kind !== "session") return opened;
    if (opening === undefined) await openSource();
    return source.end === undefined ? await drive(push, opened) : await ended(push, opened, source.end);
  } finally {
    source.close();
  }
}

/** Begins the upload; a registry that fails is asked again, as it is later on. */
async function begin(push: Push, mountFrom: readonly Repository[]): Promise<Opened> {
  const { operations, question } = push;
  let opened = await openUpload(operations, question, mountFrom);
  for (let fruitless = 1; fruitless <= fruitlessMax && isFailure(opened); fruitless++) {
    await pauseBefore(push, fruitless);
    const next = await openUpload(operations, question, mountFrom);
    opened = next.kind === "unavailable" ? causeOf(opened, next) : next;
  }
  return opened;
}

function isFailure(opened: Opened): opened is Unavailable {
  if (opened.kind !== "unavailable") return false;
  const { reason, status } = opened;
  return reason === "unreachable" || reason === "timeout" || isServerError(status);
}

async function drive(push: Push, session: UploadSession): Promise<PushedBlob> {
  let state: State = { kind: "at", upload: uploadOf(session, blobPartBytes), offsetBytes: 0 };
  let [furthestBytes, fruitless, losses] = [0, 0, 0];
  for (;;) {
    if (state.kind !== "at") {
      losses += 1;
      fruitless += 1;
      if (fruitless > fruitlessMax || losses > lossesMax) return await given(push, state, state.why);
      await pauseBefore(push, fruitless);
    } else if (state.offsetBytes > furthestBytes) {
      furthestBytes = state.offsetBytes;
      fruitless = 0;
    }
    const next: State | PushedBlob = await step(push, fruitless === fruitlessMax ? lastTry(state) : state);
    if (!("upload" in next)) return await given(push, state, next);
    state = next;
  }
}

/** What fails each time that it is asked how much it has may fail for this upload alone. */
function lastTry(state: State): State {
  return state.kind === "lost" && state.why.status !== undefined ? { ...state, kind: "gone" } : state;
}

const blobPartBytes = Number.POSITIVE_INFINITY;

async function step(push: Push, state: State): Promise<State | PushedBlob> {
  switch (state.kind) {
    case "at":
      return await send(push, state);
    case "lost":
      return await locate(push, state);
    case "gone":
      return await beginAnew(push, state);
  }
}

async function beginAnew(push: Push, state: Extract<State, { kind: "gone" }>): Promise<State | PushedBlob> {
  const { operations, question } = push;
  await cancelUpload(operations, question, state.upload.session);
  const opened = await openUpload(operations, question, []);
  if (opened.kind === "mounted") return opened;
  if (opened.kind === "unavailable") return isFinal(opened) ? opened : { ...state, why: causeOf(state.why, opened) };
  return { kind: "at", upload: uploadOf(opened, state.upload.partBytes), offsetBytes: 0 };
}

function uploadOf(session: UploadSession, partBytes: number): Upload {
  return { session, partBytes, isResumed: false };
}

/** The answer of the push, after the upload has been cancelled if it was not completed. */
async function given(push: Push, { upload }: State, answer: PushedBlob): Promise<PushedBlob> {
  return await ended(push, upload.session, answer);
}

async function ended({ operations, question }: Push, session: UploadSession, answer: PushedBlob): Promise<PushedBlob> {
  if (answer.kind !== "pushed") await cancelUpload(operations, question, session);
  return answer;
}

async function pauseBefore({ operations, question }: Push, losses: number): Promise<void> {
  await pause(operations.clock, operations.random() * firstPauseMs * 2 ** (losses - 1), question.limits.signal);
}
