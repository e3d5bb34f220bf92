import type { Upstream } from "../config/settings.ts";
import { resolveTarget } from "../net/egress.ts";
import { rememberLookups, systemLookup } from "../net/lookup.ts";
import { Authorizer } from "./auth.ts";
import { getBlob, headBlob } from "./blobs.ts";
import { Breakers } from "./breakers.ts";
import { UpstreamBudget } from "./budget.ts";
import { createCall } from "./call.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { CredentialSource } from "../config/credential.ts";
import { listReferrers, listRepositories, listTags } from "./lists.ts";
import { getManifest, headManifest } from "./manifests.ts";
import { NativeTries } from "./native-tries.ts";
import type { Operations } from "./operations.ts";
import { Origins } from "./origins.ts";
import { ping } from "./ping.ts";
import { pushBlob } from "./push-blob.ts";
import { deleteManifest, putManifest } from "./push-manifests.ts";
import type { Answer, CallLimits, RemoteRegistry } from "./remote.ts";
import { createTransport, type Egress, type Fetch } from "./transport.ts";
import type { WritableRegistry } from "./writable.ts";

/** One upstream, what proves us to it, and the world as it is unless a test has another. */
export interface RemoteRegistryOptions {
  readonly upstream: Upstream;
  readonly credentials: CredentialSource;
  readonly fetch?: Fetch;
  readonly egress?: Egress;
  readonly clock?: Clock;
  /** A number in [0, 1). */
  readonly random?: () => number;
  /** `User-Agent` of every request. */
  readonly userAgent?: string;
}

const lookup = rememberLookups(systemLookup, () => performance.now());

/** Looks names up with the system's resolver, a name once in a few seconds, and checks every address each time. */
export const systemEgress: Egress = (url, policy, signal) => resolveTarget(url, policy, { lookup, signal });

/**
 * The client of one remote registry, with its own tokens, breakers and budget. Keep one for each upstream: what it learns about
 * the registry, it learns once.
 */
export function createRemoteRegistry(options: RemoteRegistryOptions): RemoteRegistry {
  return pullSide(operationsOf(options, false));
}

/** The same client, which can also push, delete, and list what there is. */
export function createWritableRegistry(options: RemoteRegistryOptions): WritableRegistry {
  const operations = operationsOf(options, true);
  return {
    ...pullSide(operations),
    pushBlob: (repository, blob, limits) => pushBlob(operations, { repository, limits }, blob),
    putManifest: (repository, reference, manifest, limits) =>
      putManifest(operations, { repository, reference, limits }, manifest),
    deleteManifest: (repository, reference, limits) => deleteManifest(operations, { repository, reference, limits }),
    listRepositories: (query, limits) => listRepositories(operations, { query, limits }),
  };
}

/** Whether a registry lets us in with these credentials, by a client that is used for nothing else. */
export function checkAccess(options: RemoteRegistryOptions, limits: CallLimits): Promise<Answer<object>> {
  return ping(operationsOf(options, false), limits);
}

function pullSide(operations: Operations): RemoteRegistry {
  const { upstream } = operations;
  return {
    host: upstream.host,
    headManifest: (repository, reference, limits) => headManifest(operations, { repository, reference, limits }),
    getManifest: (repository, reference, limits) => getManifest(operations, { repository, reference, limits }),
    headBlob: (repository, digest, limits) => headBlob(operations, { repository, digest, limits }),
    getBlob: (repository, digest, range, limits) => getBlob(operations, { repository, digest, limits }, range),
    listTags: (repository, query, limits) => listTags(operations, { repository, query, limits }),
    listReferrers: (repository, digest, query, limits) =>
      listReferrers(operations, { repository, query, limits }, digest),
  };
}

function operationsOf(options: RemoteRegistryOptions, givesNative: boolean): Operations {
  const { upstream, credentials, clock = systemClock, random = Math.random } = options;
  const origins = new Origins(upstream);
  const breakers = new Breakers(new URL(upstream.url).origin, { clock, random });
  const budget = new UpstreamBudget(clock, upstream.budget);
  const exchange = breakers.guard(
    createTransport({
      fetch: options.fetch ?? fetch,
      egress: options.egress ?? systemEgress,
      proxy: upstream.proxy,
      userAgent: options.userAgent ?? "periplus",
    }),
    ({ status, headers }) => budget.heed(status, headers),
  );
  const authorizer = new Authorizer({ origins, credentials, exchange, clock });
  const call = createCall({ route: { exchange, origins, authorizer, budget }, breakers, clock, random });
  return { upstream, call, clock, origins, nativeTries: new NativeTries(clock), givesNative, random };
}
