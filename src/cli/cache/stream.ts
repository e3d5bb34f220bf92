import { Failure } from "../../errors/failure.ts";
import type { Progress, Result, Summary } from "../../mirror/keeping/events.ts";
import type { StreamFailure } from "../../server/ndjson.ts";

/** What comes over the wire for an operation. */
export type WireEvent<Row, Totals> = Progress | Result<Row> | Summary<Totals> | StreamFailure;

/** The events of an answer of the admin API. Throws what the API said when it refused. */
export async function* eventsOf<Row, Totals>(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<WireEvent<Row, Totals>, void, void> {
  if (!response.ok || response.body === null) throw await refusal(response);
  for await (const line of linesOf(response.body, signal)) {
    // Written by our own admin function, of this version or of the server's.
    yield JSON.parse(line) as WireEvent<Row, Totals>;
  }
}

async function* linesOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let pending = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = `${pending}${decoder.decode(value, { stream: true })}`.split("\n");
      pending = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

async function refusal(response: Response): Promise<Failure> {
  const text = await response.text();
  return new Failure({
    code: "UNSUPPORTED",
    message: `the server refused this (${response.status}): ${messageIn(text)}`,
  });
}

function messageIn(text: string): string {
  try {
    const body = JSON.parse(text) as { readonly errors?: readonly { readonly message?: string }[] };
    return body.errors?.[0]?.message ?? text;
  } catch {
    return text;
  }
}
