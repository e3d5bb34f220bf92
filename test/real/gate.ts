import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { type Endpoint, get } from "./endpoint.ts";

/** A registry behind a gate: everything passes, but for one blob, whose second half waits until the gate is opened. */
export interface Gate extends AsyncDisposable {
  readonly endpoint: Endpoint;
  /** Resolves once the first half of the blob has been sent to somebody. */
  readonly reached: Promise<void>;
  open(): void;
}

/** Puts a gate in front of an open registry, for a pull that lasts as long as a test wants it to. */
export async function startGate(behind: Endpoint, digest: string): Promise<Gate> {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "GET", url = "/" } = request;
    const { accept, range } = request.headers;
    const headers = { ...(accept === undefined ? {} : { accept }), ...(range === undefined ? {} : { range }) };
    const found = await get(behind, url, { method, headers });
    const body = new Uint8Array(await found.arrayBuffer());
    response.writeHead(found.status, Object.fromEntries(found.headers));
    if (method !== "GET" || !url.endsWith(`/blobs/${digest}`)) return void response.end(body);
    const half = Math.floor(body.length / 2);
    response.write(body.subarray(0, half), () => reached.resolve());
    await opened.promise;
    response.end(body.subarray(half));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: { host: `127.0.0.1:${port}`, scheme: "http" },
    reached: reached.promise,
    open: () => opened.resolve(),
    [Symbol.asyncDispose]: async () => {
      opened.resolve();
      server.closeAllConnections();
      server.close();
    },
  };
}
