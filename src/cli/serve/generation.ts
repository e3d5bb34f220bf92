import { readFile } from "node:fs/promises";
import { isLoopback } from "../../config/place.ts";
import type { Settings } from "../../config/settings.ts";
import { Failure } from "../../errors/failure.ts";
import { addressSet, anyAddress, type AddressSet } from "../../net/address-set.ts";
import { parseCidr } from "../../net/cidr.ts";
import { type ListenerTls, type PemFile, tlsOptions } from "../../net/tls.ts";
import type { Access } from "../../server/access.ts";
import type { Hosted } from "../../server/hosted/hosted.ts";
import type { Mirrors, Serving } from "../../server/serving.ts";
import { TokenSigner } from "../../server/token.ts";
import { bcryptUsers, parseHtpasswd } from "../../server/users.ts";
import type { Steer } from "../../steer/steer.ts";

/** What outlives a reload and goes into each generation of settings. */
export interface Lasting {
  readonly mirrors: Mirrors | undefined;
  readonly hosted: Hosted | undefined;
  /** The key of tokens and remembered passwords, random for each process. */
  readonly key: Uint8Array;
  readonly steering: { of(settings: Settings): Promise<Steer> };
}

/** Makes what requests are served with from settings. Throws `CONFIG_INVALID` when a file that they name cannot be used. */
export async function makeServing(settings: Settings, lasting: Lasting): Promise<Serving> {
  const { table, upstreams } = settings;
  return {
    settings,
    registries: { table, knows: (host) => upstreams.has(host) },
    readsHost: table.readsHost || (table.rest !== undefined && table.rest.upstream === undefined),
    clients: settings.clients === "any" ? anyAddress : addresses(settings.clients),
    trustedProxies: addresses(settings.trustedProxies),
    access: settings.auth && (await makeAccess(settings.auth.htpasswd, lasting.key)),
    steer: await lasting.steering.of(settings),
    mirrors: lasting.mirrors,
    hosted: lasting.hosted,
    isOnLoopback: isLoopback(settings.listen.hostname),
  };
}

/** Reads the certificates that settings name; `undefined` when there are none. Throws `CONFIG_INVALID`. */
export async function readTls({ tls }: Settings): Promise<ListenerTls | undefined> {
  if (tls.length === 0) return undefined;
  const entries = tls.map(async ({ cert, key, clientCa }) => ({
    cert: await pem(cert),
    key: await pem(key),
    ...(clientCa === undefined ? {} : { clientCA: await pem(clientCa) }),
  }));
  const options = tlsOptions(await Promise.all(entries), Date.now());
  if (options instanceof Failure) throw options;
  return options;
}

async function makeAccess(file: string, key: Uint8Array): Promise<Access> {
  const { hashes, problems } = parseHtpasswd(await text(file));
  const [first] = problems;
  if (first !== undefined)
    throw new Failure({ code: "CONFIG_INVALID", message: `${file}:${first.line}: ${first.message}` });
  return { users: bcryptUsers(hashes, key, Date.now), signer: new TokenSigner(key, Date.now) };
}

function addresses(cidrs: readonly string[]): AddressSet {
  return addressSet(cidrs.flatMap((text) => parseCidr(text) ?? []));
}

async function pem(path: string): Promise<PemFile> {
  return { path, text: await text(path) };
}

async function text(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new Failure({ code: "CONFIG_INVALID", message: `cannot read ${path}`, cause: error });
  });
}
