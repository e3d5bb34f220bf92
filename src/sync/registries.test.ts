import { expect, test } from "bun:test";
import { inspect } from "node:util";
import { issueCertificate } from "../net/test-certificate.ts";
import type { RegistryAccess } from "./plan-input.ts";
import { registryCredentials } from "./registries.ts";
import { inputOf, type World } from "./testing/world.ts";

const pem = issueCertificate({ commonName: "authority.example" }).cert;

async function access(world: World, host: string): Promise<RegistryAccess> {
  const { registries } = await inputOf(world);
  const found = [...registries].find(([name]) => name === host);
  if (found === undefined) throw new Error(`no ${host} in ${[...registries.keys()].join()}`);
  return found[1];
}

const world = {
  env: {},
  readFile: (path: string) => Promise.resolve(path === "/etc/sync/password" ? "from the file\n" : "{}"),
  nowMs: () => 0,
  helperTimeoutMs: 1000,
};

test("every registry that an entry names is there, with docker's login where it has none", async () => {
  const { registries } = await inputOf({
    text: "sync: [{ from: nginx, to: r.io/x, backup: 'old.io/x:{tag}' }, { from: a.io, to: r.io/** }]",
  });
  expect([...registries.keys()].toSorted()).toEqual(["a.io", "docker.io", "old.io", "r.io"] as never);
  for (const { upstream, login } of registries.values()) {
    expect([upstream.credentials.kind, login]).toEqual(["docker-config", undefined]);
  }
  expect([...registries.values()].map(({ upstream }) => upstream.url)).toContain("https://registry-1.docker.io");
});

test("what our own form says of a registry is what an upstream says", async () => {
  const found = await access(
    {
      text: `
registries:
  r.io:
    url: https://registry.internal:8443
    path: mirror
    ca: ca.crt
    credentials: { username: ann, passwordFile: password }
    budget: { requests: 10, per: 1m, concurrent: 2 }
    proxy: http://proxy:3128
sync: [{ from: a.io/x, to: r.io/x }]
`,
      files: { "/etc/sync/ca.crt": pem },
    },
    "r.io",
  );
  expect(found.upstream).toMatchObject({
    url: "https://registry.internal:8443",
    path: "mirror",
    ca: pem,
    insecure: false,
    proxy: "http://proxy:3128",
    budget: { requests: 10, perMs: 60_000, concurrent: 2 },
  });
  expect(await registryCredentials(found, world)()).toEqual({
    kind: "basic",
    username: "ann",
    password: "from the file",
  });
});

test("docker's logins are left alone where that is asked for", async () => {
  const found = await access({ text: "dockerConfig: false\nsync: [{ from: a.io/x, to: r.io/x }]" }, "r.io");
  expect(found.upstream.credentials).toEqual({ kind: "none" });
  expect(await registryCredentials(found, world)()).toBeUndefined();
});

test("the environment's proxy is used", async () => {
  const found = await access({ text: "sync: [{ from: a.io/x, to: r.io/x }]", env: { https_proxy: "p:1" } }, "a.io");
  expect(found.upstream.proxy).toBe("http://p:1");
});

test("a password that stands in the file is not printed with the rest", async () => {
  const text = "a.io: { images: { x: ['1'] }, credentials: { username: ann, password: hunter2 } }";
  const found = await access({ text, destination: { dest: "r.io" } }, "a.io");
  expect(await registryCredentials(found, world)()).toEqual({ kind: "basic", username: "ann", password: "hunter2" });
  expect(inspect(found, { depth: 9 }) + Bun.inspect(found, { depth: 9 }) + JSON.stringify(found)).not.toContain(
    "hunter2",
  );
});

test("a helper is asked by its own name", async () => {
  const text =
    "creds: [{ registry: r.io, credHelper: docker-credential-absent }]\nsync: [{ source: a.io/x, target: r.io/x, type: repository }]";
  const found = await access({ text }, "r.io");
  expect(found.login).toEqual({ kind: "helper", helper: "absent" });
  const asked = registryCredentials(found, { ...world, env: { PATH: "/nowhere" } })();
  expect(await asked.catch(String)).toContain("docker-credential-absent");
});
