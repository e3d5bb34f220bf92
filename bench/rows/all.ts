import type { Row } from "../row.ts";
import { blobHeld } from "./blob-held.ts";
import { blobRedirect } from "./blob-redirect.ts";
import { coldHerd } from "./cold-herd.ts";
import { coldStream } from "./cold-stream.ts";
import { copyLarge, copyLargeTls } from "./copy-large.ts";
import { copySmall } from "./copy-small.ts";
import { manifestHeld } from "./manifest-held.ts";
import { manifestRedirect } from "./manifest-redirect.ts";
import { memory } from "./memory.ts";
import { pushBlob } from "./push-blob.ts";
import { scale } from "./scale.ts";
import { syncHeld } from "./sync-held.ts";
import { zb } from "./zb.ts";

/** Every row, in the order in which they run. */
export const ROWS: readonly Row[] = [
  manifestRedirect,
  blobRedirect,
  manifestHeld,
  blobHeld,
  coldHerd,
  coldStream,
  memory,
  scale,
  pushBlob,
  syncHeld,
  copyLarge,
  copyLargeTls,
  copySmall,
  zb,
];
