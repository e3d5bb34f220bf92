import type { Answer, BlobStream } from "../../registry/remote.ts";
import type { ObjectSource } from "../bucket.ts";

/** Bytes as a source that is opened from any byte on; `opened` says from which it was. */
export function sourceOf(bytes: Uint8Array<ArrayBuffer>): ObjectSource & { readonly opened: readonly number[] } {
  const opened: number[] = [];
  return {
    kind: "stream",
    opened,
    open: (startByte) => {
      opened.push(startByte);
      return Promise.resolve(found(bytes.subarray(startByte), startByte));
    },
  };
}

/** A source whose answers are given one after the other; the last repeats. */
export function sourceFrom(...answers: readonly ((startByte: number) => Answer<BlobStream>)[]): ObjectSource {
  let asked = 0;
  return {
    kind: "stream",
    open: (startByte) => {
      const answer = answers[Math.min(asked++, answers.length - 1)];
      return Promise.resolve(answer?.(startByte) ?? { kind: "absent" });
    },
  };
}

/** A stream that gives these bytes and then ends, or errors. */
export function found(
  bytes: Uint8Array<ArrayBuffer>,
  startByte: number,
  end: "whole" | "error" = "whole",
): Answer<BlobStream> {
  const chunks = [bytes];
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined && chunk.length > 0) controller.enqueue(chunk);
      else if (end === "error") controller.error(new Error("cut"));
      else controller.close();
    },
  });
  return { kind: "found", body, startByte, sizeBytes: undefined };
}
