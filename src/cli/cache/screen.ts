import type { Progress } from "../../mirror/keeping/events.ts";
import type { CacheIo } from "./io.ts";
import { showSize } from "./quantities.ts";

/** On no terminal, progress is a line that often. */
const lineMs = 10_000;

type ScreenIo = Pick<CacheIo, "columns" | "nowMs" | "stderr" | "stdout">;

/** Results on stdout, everything else on stderr; on a terminal progress is one line that is drawn again and again. */
export class Screen {
  readonly #io: ScreenIo;
  #isDrawn = false;
  #lineAtMs: number;

  constructor(io: ScreenIo) {
    this.#io = io;
    this.#lineAtMs = io.nowMs() + lineMs;
  }

  result(text: string): void {
    this.clear();
    this.#io.stdout(`${text}\n`);
  }

  note(text: string): void {
    this.clear();
    this.#io.stderr(`${text}\n`);
  }

  progress({ at, done, total, bytes }: Progress): void {
    const { columns, nowMs } = this.#io;
    const text = `[${done}${total === undefined ? "" : `/${total}`}] ${showSize(bytes)}  ${at}`;
    if (columns !== undefined) {
      this.#io.stderr(`\r${text.slice(0, columns - 1)}\u001B[K`);
      this.#isDrawn = true;
      return;
    }
    if (nowMs() < this.#lineAtMs) return;
    this.#lineAtMs = nowMs() + lineMs;
    this.#io.stderr(`${text}\n`);
  }

  /** Takes the progress off the terminal. */
  clear(): void {
    if (this.#isDrawn) this.#io.stderr("\r\u001B[K");
    this.#isDrawn = false;
  }
}
