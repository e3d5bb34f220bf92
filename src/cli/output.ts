import { fstatSync } from "node:fs";

/**
 * Writes texts to stdout or stderr, in their order, without waiting for who reads them; the process ends when all is written. `onUnread`
 * is told once when nobody reads any more. The runtime's own streams do the same, and to load them takes a third of a start.
 */
export function outputTo(file: Bun.BunFile, onUnread: () => void = () => {}): (text: string) => void {
  let sink: Bun.FileSink | undefined;
  let isRead = true;
  const fail = (): void => {
    if (isRead) onUnread();
    isRead = false;
  };
  const settle = (step: number | Promise<number>): void => {
    if (typeof step !== "number") step.catch(fail);
  };
  return (text) => {
    if (!isRead) return;
    try {
      sink ??= file.writer();
      settle(sink.write(text));
      settle(sink.flush());
    } catch {
      fail();
    }
  };
}

/** Whether a file descriptor is a terminal; `stream` is the runtime's stream of it, which knows, and is loaded only where it may be one. */
export function isTerminal(descriptor: number, stream: () => { readonly isTTY: boolean }): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && stream().isTTY;
  } catch {
    return false;
  }
}
