import { afterAll, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import type { RegistryHost } from "../reference/host.ts";
import { type CredentialWorld, credentialSource } from "./credentials.ts";
import type { CredentialsSetting, Upstream } from "./settings.ts";
import { settingsOf } from "./test-world.ts";

const folder = await mkdtemp(join(tmpdir(), "periplus-credentials-"));
afterAll(() => rm(folder, { recursive: true }));

const some = (await settingsOf({})).upstreams.get("quay.io" as RegistryHost);
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const hub = "https://registry-1.docker.io";

function upstreamAt(url: string, credentials: CredentialsSetting = { kind: "docker-config" }): Upstream {
  if (some === undefined) throw new Error("quay.io is well known");
  return { ...some, url, credentials };
}

function worldOf(files: Readonly<Record<string, string>>, changes: Partial<CredentialWorld> = {}): CredentialWorld {
  return {
    env: { HOME: "/home/ann", XDG_RUNTIME_DIR: "/run/user/1", PATH: `${folder}:${process.env["PATH"]}` },
    readFile: (path) => {
      const text = files[path];
      return text === undefined
        ? Promise.reject(Object.assign(new Error(path), { code: "ENOENT" }))
        : Promise.resolve(text);
    },
    nowMs: () => 0,
    helperTimeoutMs: 10_000,
    ...changes,
  };
}

function docker(config: object): Readonly<Record<string, string>> {
  return { "/home/ann/.docker/config.json": JSON.stringify(config) };
}

/** A helper whose script is given; it is found as docker-credential-NAME. */
async function helper(name: string, script: string): Promise<void> {
  const path = join(folder, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

/** What a promise is rejected with, as text. */
function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "nothing", String);
}

const ann = { kind: "basic", username: "ann", password: "a:b" } as const;
const entry = { auth: base64("ann:a:b") };

test.each([
  ["its own host", { auths: { "quay.io": entry } }, "https://quay.io", ann],
  ["a URL", { auths: { "https://quay.io/v2/": entry } }, "https://quay.io", ann],
  ["the key of Docker Hub", { auths: { "https://index.docker.io/v1/": entry } }, hub, ann],
  ["another name of Docker Hub", { auths: { "docker.io": entry } }, hub, ann],
  ["a port", { auths: { "localhost:5000": entry } }, "http://localhost:5000", ann],
  ["another port", { auths: { "localhost:5001": entry } }, "http://localhost:5000", undefined],
  ["a path of repositories", { auths: { "quay.io/team": entry } }, "https://quay.io", undefined],
  ["another host", { auths: { "ghcr.io": entry } }, "https://quay.io", undefined],
  ["a host that only begins so", { auths: { "quay.io.evil.example": entry } }, "https://quay.io", undefined],
  ["Docker Hub, while requests go elsewhere", { auths: { "docker.io": entry } }, "https://mirror.example", undefined],
  [
    "an identity token",
    { auths: { "quay.io": { ...entry, identitytoken: "it" } } },
    "https://quay.io",
    { kind: "identity-token", token: "it" },
  ],
  ["user and password", { auths: { "quay.io": { username: "ann", password: "a:b" } } }, "https://quay.io", ann],
  ["a padded password", { auths: { "quay.io": { auth: base64("ann:a:b\0\0") } } }, "https://quay.io", ann],
  ["nothing", { auths: { "quay.io": {} } }, "https://quay.io", undefined],
  ["no auths", {}, "https://quay.io", undefined],
])("docker's config.json with %s", async (_, config, url, credential) => {
  const found: unknown = await credentialSource(upstreamAt(url), worldOf(docker(config)))();
  expect(found).toEqual(credential);
});

test("DOCKER_CONFIG stands in for ~/.docker, and podman's auth.json comes second", async () => {
  const podman = {
    "/run/user/1/containers/auth.json": JSON.stringify({ auths: { "quay.io": { auth: base64("bob:2") } } }),
  };
  const bob = { kind: "basic", username: "bob", password: "2" } as const;
  const ask = (world: CredentialWorld): Promise<unknown> => credentialSource(upstreamAt("https://quay.io"), world)();
  expect(await ask(worldOf(podman))).toEqual(bob);
  expect(await ask(worldOf({ ...podman, ...docker({ auths: {} }) }))).toEqual(bob);
  expect(await ask(worldOf({ ...podman, ...docker({ auths: { "quay.io": entry } }) }))).toEqual(ann);
  const elsewhere = { "/cfg/config.json": JSON.stringify({ auths: { "quay.io": entry } }) };
  expect(
    await ask(worldOf({ ...docker({}), ...elsewhere }, { env: { HOME: "/home/ann", DOCKER_CONFIG: "/cfg" } })),
  ).toEqual(ann);
  expect(await ask(worldOf(podman, { env: {} }))).toBeUndefined();
});

test("helpers: the host's own before the one for all, and before what stands in the file", async () => {
  await helper("own", `read -r server; printf '{"ServerURL":"x","Username":"own %s","Secret":"s"}' "$server"`);
  await helper("all", `read -r server; printf '{"Username":"<token>","Secret":"t %s"}' "$server"`);
  await helper("none", `echo "credentials not found in native keychain"; exit 1`);
  const ask = (config: object, url: string): Promise<unknown> =>
    credentialSource(upstreamAt(url), worldOf(docker({ auths: { "quay.io": entry }, ...config })))();
  const both = { credHelpers: { "quay.io": "own" }, credsStore: "all" };
  expect(await ask(both, "https://quay.io")).toEqual({ kind: "basic", username: "own quay.io", password: "s" });
  expect(await ask(both, hub)).toEqual({ kind: "identity-token", token: "t https://index.docker.io/v1/" });
  expect(await ask({ credsStore: "none" }, "https://quay.io")).toEqual(ann);
  expect(await ask({ credHelpers: { "quay.io": "none" }, credsStore: "all" }, "https://quay.io")).toMatchObject({
    token: "t quay.io",
  });
});

test.each([
  [
    "fails",
    `echo hunter2; echo hunter2 >&2; exit 3`,
    "docker-credential-fails, asked for quay.io, ended with exit code 3",
  ],
  ["garbled", `echo '{"Username": "hunter2'`, "docker-credential-garbled, asked for quay.io, printed no credential"],
  ["partial", `echo '{"Username": "hunter2"}'`, "docker-credential-partial, asked for quay.io, printed no credential"],
  [
    "endless",
    `while :; do echo hunter2hunter2hunter2hunter2; done`,
    "docker-credential-endless, asked for quay.io, printed more than 65536 bytes",
  ],
  ["hung", `sleep 1000 & wait`, "docker-credential-hung, asked for quay.io, did not answer within 300 ms"],
])("a helper that %s is a failure that shows nothing", async (name, script, message) => {
  await helper(name, script);
  const helperTimeoutMs = name === "hung" ? 300 : 10_000;
  const world = worldOf(docker({ credsStore: name }), { helperTimeoutMs });
  const failure = await credentialSource(upstreamAt("https://quay.io"), world)().catch((error: unknown) => error);
  if (!(failure instanceof Failure)) throw new Error("did not fail");
  expect([failure.code, failure.message, failure.cause]).toEqual(["CONFIG_INVALID", message, undefined]);
});

test.each([
  ["../evil", "the credential helper for quay.io has a name that is none"],
  ["a/b", "the credential helper for quay.io has a name that is none"],
  ["absent", "docker-credential-absent, asked for quay.io, is not on the PATH"],
])("the helper name %p is not run", async (name, message) => {
  const ask = credentialSource(upstreamAt("https://quay.io"), worldOf(docker({ credsStore: name })));
  expect(await failureOf(ask())).toContain(message);
});

test.each([
  ["{ hunter2", "/home/ann/.docker/config.json is no JSON object"],
  ["[]", "/home/ann/.docker/config.json is no JSON object"],
  [
    `{"auths":{"quay.io":{"auth":"${base64("hunter2")}"}}}`,
    'auth in the entry "quay.io" of /home/ann/.docker/config.json is not USER:PASSWORD',
  ],
])("a config.json of %j is a failure that shows nothing", async (text, message) => {
  const world = worldOf({ "/home/ann/.docker/config.json": text });
  const failure = await credentialSource(upstreamAt("https://quay.io"), world)().catch((error: unknown) => error);
  expect(String(failure)).toContain(message);
  expect(String(failure)).not.toContain("hunter2");
});

test("a file that is there and may not be read is a failure", async () => {
  const readFile = (): Promise<string> => Promise.reject(Object.assign(new Error("no"), { code: "EACCES" }));
  const ask = credentialSource(upstreamAt("https://quay.io"), worldOf({}, { readFile }));
  expect(await failureOf(ask())).toContain("/home/ann/.docker/config.json cannot be read: permission denied");
});

test("a password file is read again after a minute, and at once after a failure", async () => {
  let nowMs = 0;
  let reads = 0;
  const path = join(folder, "password");
  const world = worldOf(
    {},
    {
      nowMs: () => nowMs,
      readFile: (file) => {
        reads += 1;
        return readFile(file, "utf8");
      },
    },
  );
  const ask = credentialSource(
    upstreamAt("https://quay.io", { kind: "password-file", username: "ann", passwordFile: path }),
    world,
  );
  expect(await failureOf(ask())).toContain(`${path} cannot be read: there is no such file`);
  const first = { kind: "basic", username: "ann", password: "first " } as const;
  await writeFile(path, "first \n");
  expect(await Promise.all([ask(), ask()])).toEqual([first, first]);
  await writeFile(path, "second\r\n");
  nowMs = 59_999;
  expect(await ask()).toMatchObject({ password: "first " });
  nowMs = 60_000;
  expect(await ask()).toMatchObject({ password: "second" });
  expect(reads).toBe(3);
});

test("without credentials there is none", async () => {
  expect(
    await credentialSource(upstreamAt(hub, { kind: "none" }), worldOf(docker({ auths: { "docker.io": entry } })))(),
  ).toBeUndefined();
});
