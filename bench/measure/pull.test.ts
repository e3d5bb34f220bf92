import { expect, test } from "bun:test";
import { pull } from "./pull.ts";

/** A server that answers any request with these pieces and then closes; `pull` against it. */
async function pullOf(
  parts: readonly string[],
  options: { readonly deadlineMs?: number; readonly close?: "never" } = {},
) {
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket) => {
        for (const part of parts) socket.write(part);
        if (options.close !== "never") socket.end();
      },
    },
  });
  const url = `http://127.0.0.1:${listener.port}/v2/x`;
  const result = await pull({ url, deadlineMs: options.deadlineMs ?? 5000 });
  listener.stop(true);
  return result;
}

test.each([
  [["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"], 200, 4, true],
  [["HTTP/1.1 200 OK\r\ncontent-le", "ngth: 4\r\n\r", "\nbo", "dy"], 200, 4, true],
  [["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody"], 200, 4, false],
  [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"], 200, 14, true],
  [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"], 200, 9, false],
  [["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], 404, 0, true],
  [[], 0, 0, false],
] as const)("%j", async (parts, status, bodyBytes, complete) => {
  expect(await pullOf(parts)).toMatchObject({ status, bodyBytes, complete });
});

test("a server that never ends is given up at the deadline", async () => {
  const parts = ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody"];
  expect(await pullOf(parts, { deadlineMs: 50, close: "never" })).toMatchObject({ bodyBytes: 4, complete: false });
});

test("a refused connection is a pull that got nothing", async () => {
  expect(await pull({ url: "http://127.0.0.1:1/", deadlineMs: 5000 })).toMatchObject({ status: 0, bodyBytes: 0 });
});
