import type { HostedBlobs } from "../../hosted/blobs.ts";
import type { Uploads } from "../../hosted/uploads.ts";
import type { Repository } from "../../reference/repository.ts";
import type { Rule } from "../../rules/rule.ts";
import type { Asker } from "../../rules/rights.ts";
import type { HostedIndex } from "../../store/hosted-index.ts";

/** Our own repositories, when any rule stores. */
export interface Hosted {
  readonly index: HostedIndex;
  readonly blobs: HostedBlobs;
  readonly uploads: Uploads;
  readonly nowMs: () => number;
}

/** The repository of our own that a name means to who asks, by the rule that is for that name; absent when it may not be pulled from. */
export type Pullable = (name: string) => Repository | undefined;

/** A request for one of our own repositories, that may be asked. */
export interface HostedRequest {
  readonly hosted: Hosted;
  readonly request: Request;
  /** As it stands in the path, which may say more than the repository. */
  readonly name: string;
  /** `?ns=`, by which the rule may have been found. */
  readonly ns: string | undefined;
  readonly query: URLSearchParams;
  readonly rule: Rule;
  readonly asker: Asker;
  readonly repository: Repository;
  readonly pullable: Pullable;
}

/** Where something of the repository is to be asked for: by the name, and the `ns`, that this request had. */
export function addressOf(
  { name, ns }: HostedRequest,
  path: string,
  query: URLSearchParams = new URLSearchParams(),
): string {
  if (ns !== undefined) query.set("ns", ns);
  return query.size === 0 ? `/v2/${name}/${path}` : `/v2/${name}/${path}?${query}`;
}
