import type { CopyProgress } from "../../copy/progress.ts";
import { showSize, showSpan } from "../cache/quantities.ts";
import type { CopyIo } from "./io.ts";

/** On a terminal the progress is drawn so often; elsewhere it is a line that often. */
const drawMs = 200;
const lineMs = 10_000;
const jsonMs = 1000;
const imagesShown = 6;
/** The rate is that of about so long. */
const rateMs = 5000;

type ViewIo = Pick<CopyIo, "clock" | "columns" | "stderr" | "stdout">;

/** Results on stdout, everything else on stderr; how far a run is as lines that are drawn again and again on a terminal. */
export class View {
  readonly #io: ViewIo;
  readonly #mode: "json" | "text";
  #drawnLines = 0;
  #rate: Rate | undefined;
  #stop: (() => void) | undefined;

  constructor(io: ViewIo, mode: "json" | "text") {
    this.#io = io;
    this.#mode = mode;
  }

  get isJson(): boolean {
    return this.#mode === "json";
  }

  result(text: string): void {
    this.#clear();
    this.#io.stdout(`${text}\n`);
  }

  note(text: string): void {
    this.#clear();
    this.#io.stderr(`${this.isJson ? JSON.stringify({ kind: "note", message: text }) : text}\n`);
  }

  /** Shows how far a run is until `end`. */
  watch(progress: () => CopyProgress): void {
    const { clock, columns } = this.#io;
    const everyMs = this.isJson ? jsonMs : columns === undefined ? lineMs : drawMs;
    this.#rate = new Rate(clock.nowMs());
    const tick = (): void => {
      this.#show(progress());
      this.#stop = clock.schedule(everyMs, tick);
    };
    this.#stop = clock.schedule(everyMs, tick);
  }

  /** Takes the progress off the terminal. */
  end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#clear();
  }

  #show(progress: CopyProgress): void {
    const { clock, columns, stderr } = this.#io;
    const bytesPerS = this.#rate?.update(clock.nowMs(), progress.sentBytes) ?? 0;
    if (this.isJson) {
      stderr(`${JSON.stringify({ kind: "progress", ...progress, bytesPerS: Math.round(bytesPerS) })}\n`);
      return;
    }
    if (columns === undefined) {
      stderr(`${overall(progress, bytesPerS)}\n`);
      return;
    }
    const lines = [overall(progress, bytesPerS), ...progress.active.slice(0, imagesShown).map(imageLine)];
    this.#clear();
    stderr(lines.map((line) => `${line.slice(0, columns - 1)}\n`).join(""));
    this.#drawnLines = lines.length;
  }

  #clear(): void {
    if (this.#drawnLines > 0) this.#io.stderr(`\u001B[${this.#drawnLines}A\u001B[J`);
    this.#drawnLines = 0;
  }
}

function overall({ images, doneBytes, totalBytes }: CopyProgress, bytesPerS: number): string {
  const left = bytesPerS > 0 ? `  ${showSpan(((totalBytes - doneBytes) / bytesPerS) * 1000)} left` : "";
  const rate = `${showSize(bytesPerS)}/s`;
  return `[${images.done}/${images.total}] ${showSize(doneBytes)} of ${showSize(totalBytes)}  ${rate}${left}`;
}

function imageLine({ name, doneBytes, totalBytes }: CopyProgress["active"][number]): string {
  return `  ${showSize(doneBytes)} of ${showSize(totalBytes)}  ${name}`;
}

/** Bytes a second, as a mean in which the latest counts most. */
class Rate {
  #atMs: number;
  #bytes = 0;
  #bytesPerS: number | undefined;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  update(nowMs: number, bytes: number): number {
    const spanMs = nowMs - this.#atMs;
    if (spanMs <= 0) return this.#bytesPerS ?? 0;
    const latest = Math.max(0, bytes - this.#bytes) / (spanMs / 1000);
    const weight = 1 - Math.exp(-spanMs / rateMs);
    this.#bytesPerS = this.#bytesPerS === undefined ? latest : this.#bytesPerS + (latest - this.#bytesPerS) * weight;
    this.#atMs = nowMs;
    this.#bytes = bytes;
    return this.#bytesPerS;
  }
}
