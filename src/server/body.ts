/** Reads the body of a request whole, or says why there is none: it is longer than allowed, or it broke off on its way. */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | "too-long" | "cut"> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return "too-long";
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) return "too-long";
      chunks.push(chunk);
    }
  } catch {
    return "cut";
  }
  return new Uint8Array(Buffer.concat(chunks));
}
