import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { createAuthority, issueCertificate, type KeyPair } from "./certificates.ts";
import { type Endpoint, urlOf } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { startGate } from "./gate.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { type TemporaryFolder, temporaryFolder } from "./process.ts";
import { CLIENTS, type Clients, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";

const POLL_MS = 50;

let clients: Clients;
let folder: TemporaryFolder;
let upstream: Registry;
let fixtures: Fixtures;
let authority: KeyPair;

beforeAll(async () => {
  [clients, folder, upstream] = await Promise.all([startClients(), temporaryFolder("tls"), startRegistry()]);
  fixtures = await pushFixtures(upstream.endpoint);
  authority = await createAuthority(folder.path);
});

afterAll(async () => {
  await Promise.all([clients, upstream, folder].map((part) => part[Symbol.asyncDispose]()));
});

function issue(name: string, use: "server" | "client"): Promise<KeyPair> {
  return issueCertificate(authority, { folder: folder.path, name, names: ["IP:127.0.0.1", "DNS:localhost"], use });
}

async function start(
  pair: KeyPair,
  options: { readonly clients?: KeyPair; readonly from: Endpoint },
): Promise<Periplus> {
  const clientCA = options.clients === undefined ? {} : { clientCA: authority.certFile };
  return startPeriplus({
    caFile: authority.certFile,
    ...(options.clients === undefined ? {} : { clientCertificate: options.clients }),
    config: {
      tls: [{ cert: pair.certFile, key: pair.keyFile, ...clientCA }],
      upstreams: { "registry.test": { url: urlOf(options.from) } },
      rules: [{ match: "*", serve: "cache" }],
    },
  });
}

describe("with certificates of clients", () => {
  const withCertificate = CLIENTS.filter((client) => client !== "crane" && client !== "docker");
  let periplus: Periplus;

  beforeAll(async () => {
    const own = await issue("client", "client");
    periplus = await start(await issue("server", "server"), { clients: own, from: upstream.endpoint });
  });

  afterAll(async () => periplus[Symbol.asyncDispose]());

  test.each(withCertificate)("%s pulls with one", async (client) => {
    await clients.expectPull(client, periplus.endpoint, fixtures.app, { repository: "registry.test/app" });
  });

  test.each(CLIENTS)("%s is refused without one", async (client) => {
    const { clientCertificate: _, ...without } = periplus.endpoint;
    const pulled = await clients.pull(client, without, fixtures.tool, { repository: "registry.test/tool" });
    // Docker asks once more by plain HTTP then, and is heard by nobody.
    const why = client === "docker" ? /EOF/ : /certificate|tls|TLS/;
    expect(pulled).toMatchObject({ kind: "refused", output: expect.stringMatching(why) });
  });

  test("one of another authority is refused", async () => {
    await using elsewhere = await temporaryFolder("stranger");
    const other = await createAuthority(elsewhere.path);
    const at = { folder: elsewhere.path, name: "stranger", names: ["DNS:client.test"], use: "client" } as const;
    const endpoint = { ...periplus.endpoint, clientCertificate: await issueCertificate(other, at) };
    const pulled = await clients.pull("oras", endpoint, fixtures.tool, { repository: "registry.test/tool" });
    expect(pulled).toMatchObject({ kind: "refused" });
  });
});

/** Fingerprint of the certificate that a new connection is shown. */
function shown({ host }: Endpoint): Promise<string> {
  const [hostname, port] = host.split(":");
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: hostname!, port: Number(port), rejectUnauthorized: false }, () => {
    resolve(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  });
  socket.on("error", reject);
  return promise;
}

/** Asks until a connection is shown it; one that is made while the certificates change may be reset. */
async function untilShown(endpoint: Endpoint, isNew: (fingerprint: string) => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const fingerprint = await shown(endpoint).catch(() => undefined);
    if (fingerprint !== undefined && isNew(fingerprint)) return;
    if (Date.now() > deadline) throw new Error("the new certificate is not shown");
    await Bun.sleep(POLL_MS);
  }
}

async function replace(pair: KeyPair, by: KeyPair): Promise<void> {
  await rename(by.keyFile, pair.keyFile);
  await rename(by.certFile, pair.certFile);
}

test.each(["crane", "containerd"] as const)(
  "certificates are rotated while %s pulls, and no pull breaks",
  async (client) => {
    const { app } = fixtures;
    await using gate = await startGate(upstream.endpoint, app.platforms[0]!.layers[1]!.digest);
    const pair = await issue(`rotated-${client}`, "server");
    await using periplus = await start(pair, { from: gate.endpoint });
    const before = await shown(periplus.endpoint);
    const pulling = clients.expectPull(client, periplus.endpoint, app, { repository: "registry.test/app" });
    await Promise.race([gate.reached, pulling]);
    await replace(pair, await issue(`next-${client}`, "server"));
    await untilShown(periplus.endpoint, (fingerprint) => fingerprint !== before);
    await clients.expectPull("oras", periplus.endpoint, fixtures.tool, { repository: "registry.test/tool" });
    gate.open();
    await pulling;
  },
);

test("a certificate that does not fit its key changes nothing, and the log says why", async () => {
  const pair = await issue("kept", "server");
  await using periplus = await start(pair, { from: upstream.endpoint });
  const before = await shown(periplus.endpoint);
  await rename((await issue("strange", "server")).certFile, pair.certFile);
  const deadline = Date.now() + 20_000;
  while (!(await periplus.log()).includes("is not the key of") && Date.now() < deadline) await Bun.sleep(POLL_MS);
  expect(await periplus.log()).toContain(join(folder.path, "kept.key"));
  expect(await shown(periplus.endpoint)).toBe(before);
  await clients.expectPull("regctl", periplus.endpoint, fixtures.tool, { repository: "registry.test/tool" });
});
