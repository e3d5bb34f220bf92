import type { Running } from "../row.ts";

/** What a contender must answer before its speed counts: one that answers wrongly is fast for nothing. */
export interface Expected {
  readonly status: number;
  readonly locationPrefix?: string;
  readonly bodyBytes?: number;
}

/** Asks once and throws if the answer is not the expected one. */
export async function expectAnswer(
  running: Running,
  path: string,
  expected: Expected,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const response = await fetch(running.origin + path, { redirect: "manual", headers });
  const bodyBytes = (await response.arrayBuffer()).byteLength;
  const location = response.headers.get("location") ?? "";
  const good =
    response.status === expected.status &&
    location.startsWith(expected.locationPrefix ?? "") &&
    bodyBytes === (expected.bodyBytes ?? bodyBytes);
  if (good) return;
  throw new Error(
    `${running.server?.name ?? running.origin} answered ${path} with ${response.status}, ` +
      `location "${location}", ${bodyBytes} bytes; expected ${JSON.stringify(expected)}`,
  );
}
