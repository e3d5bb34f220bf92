import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHost } from "../reference/host.ts";
import type { Credential } from "./credential.ts";
import { forgetLogin, keepLogin, type LoginWorld } from "./docker-login.ts";

const file = "/home/me/.docker/config.json";
const basic: Credential = { kind: "basic", username: "me", password: "p:w" };
const auth = Buffer.from("me:p:w").toString("base64");
let bin: string;
let told: string;

beforeAll(async () => {
  bin = mkdtempSync(join(tmpdir(), "periplus-login-"));
  told = join(bin, "told");
  // "mine" holds what it is told; "fails" ends badly, and says the secret while it does.
  await helper("mine", `printf '%s ' "$1" >> ${told}; cat >> ${told}; echo >> ${told}`);
  await helper("fails", `cat; exit 3`);
  await helper("empty", `echo "credentials not found in native keychain"; exit 1`);
});
afterAll(() => rmSync(bin, { recursive: true }));

async function helper(name: string, script: string): Promise<void> {
  const path = join(bin, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

/** A disk with one file, and what became of it. */
function world(config?: unknown): { readonly world: LoginWorld; readonly written: () => unknown } {
  let text = config === undefined ? undefined : typeof config === "string" ? config : JSON.stringify(config);
  return {
    world: {
      env: { HOME: "/home/me", PATH: `${bin}:/bin:/usr/bin` },
      readFile: async (path) => {
        if (path !== file || text === undefined) throw Object.assign(new Error(), { code: "ENOENT" });
        return text;
      },
      replaceFile: async (path, next) => {
        expect(path).toBe(file);
        text = next;
      },
      helperTimeoutMs: 10_000,
    },
    written: () => (text === undefined ? undefined : (JSON.parse(text) as unknown)),
  };
}

const host = (text: string): NonNullable<ReturnType<typeof parseHost>> => parseHost(text)!;

test("a login goes into the file; its other keys and logins stay, another spelling of the host does not", async () => {
  const other = {
    HttpHeaders: { A: "b" },
    auths: { "quay.io": { auth: "x" }, "https://a.example/v2/": { auth: "old" } },
  };
  const { world: disk, written } = world(other);
  expect(await keepLogin(host("a.example"), basic, disk)).toEqual({ place: file });
  expect(written()).toEqual({ HttpHeaders: { A: "b" }, auths: { "quay.io": { auth: "x" }, "a.example": { auth } } });
  expect(await forgetLogin(host("a.example"), disk)).toBe(true);
  expect(written()).toEqual({ HttpHeaders: { A: "b" }, auths: { "quay.io": { auth: "x" } } });
  expect(await forgetLogin(host("a.example"), disk)).toBe(false);
});

test("without a file one is made; Docker Hub has the key that docker gives it", async () => {
  const { world: disk, written } = world();
  await keepLogin(host("docker.io"), { kind: "identity-token", token: "t" }, disk);
  expect(written()).toEqual({ auths: { "https://index.docker.io/v1/": { identitytoken: "t" } } });
  const empty = world("");
  await keepLogin(host("a.example"), basic, empty.world);
  expect(empty.written()).toEqual({ auths: { "a.example": { auth } } });
});

test.each([
  ["for all", { credsStore: "mine" }],
  ["of the host, before the one for all", { credsStore: "fails", credHelpers: { "a.example": "mine" } }],
])("a helper %s is told, and the file has no secret", async (_, config) => {
  const { world: disk, written } = world(config);
  expect(await keepLogin(host("a.example"), basic, disk)).toEqual({ place: "docker-credential-mine" });
  expect(written()).toEqual({ ...config, auths: { "a.example": {} } });
  const line = readFileSync(told, "utf8").trim().split("\n").at(-1) ?? "";
  expect(line).toStartWith("store ");
  expect(JSON.parse(line.slice("store ".length))).toEqual({ ServerURL: "a.example", Username: "me", Secret: "p:w" });
  expect(await forgetLogin(host("a.example"), disk)).toBe(true);
  expect(readFileSync(told, "utf8").trim().split("\n").at(-1)).toBe("erase a.example");
  expect(written()).toEqual({ ...config, auths: {} });
});

test("a helper that has nothing has nothing to forget", async () => {
  expect(await forgetLogin(host("a.example"), world({ credsStore: "empty" }).world)).toBe(false);
});

test.each([
  [
    "a helper that fails",
    { credsStore: "fails" },
    "docker-credential-fails, asked for a.example, ended with exit code 3",
  ],
  ["a file that is no object", "[]", "is no JSON object"],
  ["a file that is no JSON", "{", "is no JSON object"],
])("%s: nothing is written, and no secret is said", async (_, config, message) => {
  const { world: disk } = world(config);
  const writes: string[] = [];
  const kept = keepLogin(host("a.example"), basic, { ...disk, replaceFile: async (path) => void writes.push(path) });
  const error: unknown = await kept.catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(message) });
  expect(String(error)).not.toContain("p:w");
  expect(writes).toEqual([]);
});

test("without a folder for logins, or where the file cannot be written, it says so", async () => {
  const { world: disk } = world();
  expect(keepLogin(host("a.example"), basic, { ...disk, env: {} })).rejects.toThrow("set HOME or DOCKER_CONFIG");
  const full = { ...disk, replaceFile: () => Promise.reject(new Error("no space")) };
  expect(keepLogin(host("a.example"), basic, full)).rejects.toThrow(`${file} cannot be written: no space`);
});
