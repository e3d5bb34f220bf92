import { parseDigest, type Digest } from "../../reference/digest.ts";
import { looksLikeHost, ownRegistry, type RegistryHost } from "../../reference/host.ts";
import { parseReference, type Reference } from "../../reference/reference.ts";
import type { Tag } from "../../reference/repository.ts";
import { type Naming, type Registries, resolveName } from "../../rules/resolve.ts";
import type { Rule } from "../../rules/rule.ts";
import type { Place } from "../../store/content-index.ts";
import type { Pull } from "../pull.ts";

/** What a person named: where it is kept and, when one serves it, by which rule. */
export interface Image {
  readonly kind: "image";
  /** The one spelling: upstream, repository, tag, digest. */
  readonly name: string;
  readonly place: Place;
  readonly tag: Tag | undefined;
  /** With a tag beside it, the digest decides. */
  readonly digest: Digest | undefined;
  /** The rule that pulls of it go by, or why there is none. */
  readonly rule: Rule | Refused;
}

/** Why something cannot be done, in words. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
}

/**
 * Reads a reference as people write it and resolves it by the rules as a request would be: by its path
 * (`SERVER/registry.k8s.io/pause`), else as a mirror is asked (`?ns=registry.k8s.io`), else by `Host`.
 */
export function resolveImage(registries: Registries, text: string): Image | Refused {
  if (parseDigest(text) !== undefined) return refused(`"${text}" is a digest alone; write REPOSITORY@${text}`);
  const reference = parseReference(text);
  if ("kind" in reference) return refused(`"${text}" is not a reference: ${reference.reason}`);
  const { tag, digest } = reference;
  const found = resolved(registries, text, reference);
  const place = found.place ?? { upstream: reference.host, repository: reference.repository };
  return { kind: "image", name: nameOf(place, tag, digest), place, tag, digest, rule: found.rule };
}

/** The pull that warms or refreshes an image; refused when no rule keeps it. */
export function pullOf({ place, rule, name }: Image): Pull | Refused {
  if ("kind" in rule) return rule;
  if (rule.serve === "cache") return { place, rule };
  if (rule.serve === "store")
    return refused(`rule ${rule.id} stores ${name}: it is pushed here, and pulled from nowhere`);
  return refused(`rule ${rule.id} redirects pulls of ${name}: nothing of it is kept here`);
}

/** Upstream, repository, tag and digest in one spelling; without an upstream where the repository is our own. */
export function nameOf({ upstream, repository }: Place, tag?: Tag, digest?: Digest): string {
  const host = upstream === ownRegistry ? "" : `${upstream}/`;
  return `${host}${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** A refusal with its reason. */
export function refused(reason: string): Refused {
  return { kind: "refused", reason };
}

function resolved(
  registries: Registries,
  text: string,
  reference: Reference,
): { readonly place: Place | undefined; readonly rule: Rule | Refused } {
  for (const naming of namingsOf(text, reference)) {
    const found = resolveName(registries, naming);
    if (found.kind === "unresolved") continue;
    const { upstream, repository, rule } = found;
    if (isMisread(naming, upstream, rule)) continue;
    return { place: { upstream, repository }, rule };
  }
  const { host, repository } = reference;
  return { place: undefined, rule: refused(`no rule serves ${host}/${repository}; add it to upstreams and rules`) };
}

function namingsOf(text: string, { host, repository }: Reference): readonly Naming[] {
  return [
    { name: withoutTagAndDigest(text), ns: undefined, host: undefined },
    { name: repository, ns: host, host: undefined },
    { name: repository, ns: undefined, host },
  ];
}

function withoutTagAndDigest(text: string): string {
  const named = text.split("@", 1)[0] ?? "";
  const colon = named.lastIndexOf(":");
  return colon > named.lastIndexOf("/") ? named.slice(0, colon) : named;
}

/**
 * Under `*` a path is a repository of the one upstream or of docker.io: a host written before it would become a part of it,
 * and a `Host` that is not known would be passed over.
 */
function isMisread({ name, host }: Naming, upstream: RegistryHost, { match, upstream: one }: Rule): boolean {
  if (match.kind !== "rest") return false;
  if (host !== undefined) return upstream !== host;
  const slash = name.indexOf("/");
  return one !== undefined && slash > 0 && looksLikeHost(name.slice(0, slash));
}
