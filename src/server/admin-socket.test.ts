import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdminSocket, type NoAdminSocket, openAdminSocket } from "./admin-socket.ts";

let folder: string;
let path: string;
let opened: (AdminSocket | NoAdminSocket)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-socket-"));
  path = join(folder, "admin.sock");
  opened = [];
});
afterEach(async () => {
  for (const socket of opened) if (socket.kind === "open") await socket.close();
  rmSync(folder, { recursive: true });
});

async function open(isOwned: boolean, at = path): Promise<AdminSocket | NoAdminSocket> {
  const socket = await openAdminSocket(async (request) => new Response(await request.text()), { path: at, isOwned });
  opened.push(socket);
  return socket;
}

async function asks(): Promise<string> {
  return (await fetch("http://localhost/", { unix: path, method: "POST", body: "hello" })).text();
}

/** Leaves a socket file whose process is gone. */
async function leaveStale(): Promise<void> {
  const script = `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {} } }); process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn([process.execPath, "-e", script]).exited;
  expect(statSync(path).isSocket()).toBe(true);
}

test("only its owner may connect, and closing takes it away", async () => {
  const before = process.umask();
  const socket = await open(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(before);
  expect(await asks()).toBe("hello");
  if (socket.kind === "open") await socket.close();
  expect(existsSync(path)).toBe(false);
});

for (const isOwned of [true, false]) {
  test(`a socket that was left behind is replaced (owned folder: ${isOwned})`, async () => {
    await leaveStale();
    expect((await open(isOwned)).kind).toBe("open");
    expect(await asks()).toBe("hello");
  });

  test(`what is no socket is left alone (owned folder: ${isOwned})`, async () => {
    writeFileSync(path, "precious");
    expect(await open(isOwned)).toMatchObject({ kind: "refused", reason: expect.stringContaining("is no socket") });
    expect(readFileSync(path, "utf8")).toBe("precious");
  });
}

test("a socket that another process listens on is left alone", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(path, resolve));
  expect(await open(false)).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining("another process listens"),
  });
  expect(statSync(path).isSocket()).toBe(true);
  await new Promise((resolve) => other.close(resolve));
});

test("a path that cannot be had is a reason, not an error", async () => {
  expect(await open(true, join(folder, "none", "admin.sock"))).toMatchObject({ kind: "refused" });
  expect(await open(true, join(folder, "x".repeat(120)))).toMatchObject({ kind: "refused" });
});
