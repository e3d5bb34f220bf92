import { open } from "node:fs/promises";
import type { Digest } from "../reference/digest.ts";
import { unavailable } from "../registry/unavailable.ts";
import { filePayload } from "./file-payload.ts";
import { type Cut, PartHasher, type Parts } from "./parts.ts";

/** A file to be sent in parts. */
export interface FileToCut {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly cut: Cut;
  readonly sendsFiles: boolean;
}

const readBytes = 256 * 1024;

/** The parts of a file: each is hashed from the system's cache, then sent by its place in the file. `undefined`: there is no such file. */
export async function fileParts(file: FileToCut): Promise<Parts | undefined> {
  const { path, sizeBytes, cut } = file;
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return undefined;
  const hasher = new PartHasher(file.digest);
  const scratch = new Uint8Array(readBytes);
  let startByte = 0;
  return {
    memoryBytes: () => 0,
    async next() {
      const endByte = Math.min(startByte + cut.partBytes, sizeBytes);
      const payload = filePayload(path, { startByte, endByte }, file.sendsFiles);
      while (startByte < endByte) {
        const { bytesRead } = await handle.read(scratch, 0, Math.min(readBytes, endByte - startByte), startByte);
        if (bytesRead === 0) return unavailable("wrong-bytes", `its file has ${startByte} bytes, not ${sizeBytes}`);
        hasher.update(scratch.subarray(0, bytesRead));
        startByte += bytesRead;
      }
      return { kind: "part", payload, crc32: hasher.endPart() };
    },
    digest: () => hasher.digest(),
    close: () => handle.close(),
  };
}
