import type { Endpoint } from "../reference/endpoint.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository } from "../reference/repository.ts";
import { type Registries, resolveName } from "./resolve.ts";
import type { Rule } from "./rule.ts";

/** An endpoint that is about one repository. */
export type RepositoryEndpoint = Extract<Endpoint, { readonly name: string }>;

/** A refusal: the answer's status and its OCI error. OCI distribution spec v1.1, "Error codes". */
export interface Refusal {
  readonly kind: "refuse";
  readonly status: 400 | 404 | 405;
  readonly code: "DIGEST_INVALID" | "MANIFEST_INVALID" | "NAME_INVALID" | "NAME_UNKNOWN" | "UNSUPPORTED";
  readonly message: string;
}

/** What is done with a pull. The access log, the metrics, `explain` and the tests show this value. */
export type Decision =
  | { readonly kind: "base" }
  | {
      readonly kind: "redirect" | "cache";
      readonly rule: Rule;
      readonly upstream: RegistryHost;
      readonly repository: Repository;
      readonly endpoint: RepositoryEndpoint;
    }
  | Refusal;

/** A request as far as the decision needs it. */
export interface Ask {
  readonly method: string;
  readonly endpoint: Endpoint;
  readonly ns: string | undefined;
  readonly host: string | undefined;
}

const base: Decision = { kind: "base" };
const methodRefused = refusal(405, "UNSUPPORTED", "only GET and HEAD are answered here: this is a place to pull from");
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
  if (ask.method !== "GET" && ask.method !== "HEAD") return methodRefused;
  const { endpoint } = ask;
  switch (endpoint.kind) {
    case "base":
      return base;
    case "catalog":
      return catalogRefused;
    case "unknown":
      return pathRefused;
    case "invalid":
      return invalid[endpoint.code];
    default: {
      const found = resolveName(registries, { name: endpoint.name, ns: ask.ns, host: ask.host });
      if (found.kind === "unresolved") {
        return refusal(found.code === "NAME_INVALID" ? 400 : 404, found.code, found.message);
      }
      const { rule, upstream, repository } = found;
      return { kind: rule.serve, rule, upstream, repository, endpoint };
    }
  }
}

function refusal(status: Refusal["status"], code: Refusal["code"], message: string): Refusal {
  return { kind: "refuse", status, code, message };
}
