import type { Endpoint } from "../reference/endpoint.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository } from "../reference/repository.ts";
import { type Registries, resolveName } from "./resolve.ts";
import type { Action, Rule } from "./rule.ts";

/** An endpoint that is about one repository. */
type RepositoryEndpoint = Extract<Endpoint, { readonly name: string }>;

/** An endpoint that content is pulled from. */
export type PullEndpoint = Exclude<RepositoryEndpoint, { readonly kind: "uploads" | "upload" }>;

/** A refusal: the answer's status and its OCI error. OCI distribution spec v1.1, "Error codes". */
export interface Refusal {
  readonly kind: "refuse";
  readonly status: 400 | 404 | 405;
  readonly code: "DIGEST_INVALID" | "MANIFEST_INVALID" | "NAME_INVALID" | "NAME_UNKNOWN" | "UNSUPPORTED";
  readonly message: string;
  /** For 405: what is answered there. */
  readonly allow?: string;
}

/** What is done with a request. The access log, the metrics, `explain` and the tests show this value. */
export type Decision =
  | { readonly kind: "base" }
  | {
      readonly kind: "redirect" | "cache";
      readonly rule: Rule;
      readonly upstream: RegistryHost;
      readonly repository: Repository;
      readonly endpoint: PullEndpoint;
    }
  | {
      readonly kind: "store";
      readonly rule: Rule;
      readonly repository: Repository;
      readonly endpoint: RepositoryEndpoint;
      readonly action: Action;
    }
  /** The names of our own repositories. */
  | { readonly kind: "catalog" }
  | Refusal;

/** A request as far as the decision needs it. */
export interface Ask {
  readonly method: string;
  readonly endpoint: Endpoint;
  readonly ns: string | undefined;
  readonly host: string | undefined;
}

const base: Decision = { kind: "base" };
const catalog: Decision = { kind: "catalog" };
const pullMethods = "GET, HEAD";
const methodRefused: Refusal = {
  ...refusal(405, "UNSUPPORTED", "only GET and HEAD are answered here: this is a place to pull from"),
  allow: pullMethods,
};
const catalogRefused = refusal(
  404,
  "UNSUPPORTED",
  "_catalog is not supported: it is not part of the OCI specification",
);
const pathRefused = refusal(404, "UNSUPPORTED", "this path is no endpoint of the OCI distribution API");
const invalid = {
  NAME_INVALID: refusal(
    400,
    "NAME_INVALID",
    "the repository's name in the path is not valid; nothing in it may be encoded",
  ),
  DIGEST_INVALID: refusal(
    400,
    "DIGEST_INVALID",
    "the digest in the path is not sha256 with 64 or sha512 with 128 hex digits",
  ),
  MANIFEST_INVALID: refusal(400, "MANIFEST_INVALID", "the reference in the path is neither a tag nor a digest"),
} as const;

/** Decides one request. Pure: the same table and request give the same decision. */
export function decide(registries: Registries, ask: Ask): Decision {
  const isPull = ask.method === "GET" || ask.method === "HEAD";
  if (!isPull && !registries.table.hasStore) return methodRefused;
  const { endpoint } = ask;
  switch (endpoint.kind) {
    case "base":
      return isPull ? base : methodRefused;
    case "catalog":
      if (!registries.table.hasStore) return catalogRefused;
      return isPull ? catalog : methodRefused;
    case "unknown":
      return pathRefused;
    case "invalid":
      return invalid[endpoint.code];
    default:
      return decideRepository(registries, ask, endpoint);
  }
}

function decideRepository(registries: Registries, ask: Ask, endpoint: RepositoryEndpoint): Decision {
  const found = resolveName(registries, { name: endpoint.name, ns: ask.ns, host: ask.host });
  if (found.kind === "unresolved") {
    return refusal(found.code === "NAME_INVALID" ? 400 : 404, found.code, found.message);
  }
  const { rule, upstream, repository } = found;
  if (rule.serve === "store") {
    const action = actionOf(endpoint, ask.method);
    return action === undefined ? storeMethodRefused(endpoint) : { kind: "store", rule, repository, endpoint, action };
  }
  const isPull = ask.method === "GET" || ask.method === "HEAD";
  if (!isPull) return methodRefused;
  if (endpoint.kind === "uploads" || endpoint.kind === "upload") return pathRefused;
  return { kind: rule.serve, rule, upstream, repository, endpoint };
}

type Methods = Readonly<Partial<Record<string, Action>>>;

const manifestMethods: Methods = { GET: "pull", HEAD: "pull", PUT: "push", DELETE: "delete" };
const listMethods: Methods = { GET: "pull", HEAD: "pull" };

/** What each endpoint of our own repositories takes, and the right that it needs. OCI distribution spec v1.1, "Endpoints". */
const methodsOf: Readonly<Record<RepositoryEndpoint["kind"], Methods>> = {
  manifest: manifestMethods,
  "manifest-by-digest": manifestMethods,
  blob: { GET: "pull", HEAD: "pull", DELETE: "delete" },
  tags: listMethods,
  referrers: listMethods,
  uploads: { POST: "push" },
  upload: { GET: "push", HEAD: "push", PATCH: "push", PUT: "push", DELETE: "push" },
};

function actionOf(endpoint: RepositoryEndpoint, method: string): Action | undefined {
  const methods = methodsOf[endpoint.kind];
  return Object.hasOwn(methods, method) ? methods[method] : undefined;
}

function storeMethodRefused({ kind }: RepositoryEndpoint): Refusal {
  const allow = Object.keys(methodsOf[kind]).join(", ");
  return { ...refusal(405, "UNSUPPORTED", `only ${allow} are answered here`), allow };
}

function refusal(status: Refusal["status"], code: Refusal["code"], message: string): Refusal {
  return { kind: "refuse", status, code, message };
}
