/** Ends a stream of events that could not be brought to its end. */
export interface StreamFailure {
  readonly kind: "failure";
  readonly code: string;
  readonly message: string;
}

/**
 * Values as lines of JSON, made at the pace they are read. When the reader leaves, `stop` is aborted. What is thrown on
 * the way becomes a last line, as the status has long gone out.
 */
export function ndjsonReply(
  events: AsyncGenerator<object, void, void>,
  stop: AbortController,
  failed: (error: unknown) => Omit<StreamFailure, "kind">,
): Response {
  const encoder = new TextEncoder();
  const line = (value: object): Uint8Array<ArrayBuffer> => encoder.encode(`${JSON.stringify(value)}\n`);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const next = await events.next();
          if (next.done) controller.close();
          else controller.enqueue(line(next.value));
        } catch (error) {
          if (stop.signal.aborted) return;
          controller.enqueue(line({ kind: "failure", ...failed(error) } satisfies StreamFailure));
          controller.close();
        }
      },
      cancel() {
        stop.abort();
        events.return().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } });
}
