import type { Bucket } from "../../config/settings.ts";
import { upstreamAt } from "../../registry/testing/upstream.ts";
import { bucketHolder, type Holder, upstreamHolder } from "../holder.ts";

/** A bucket with nothing special about it but what is given. */
export function bucketOf(name: string, changes: Partial<Bucket> = {}): Bucket {
  return {
    name,
    url: `https://${name}.example/images`,
    cloud: undefined,
    regions: [],
    isDefault: false,
    fill: undefined,
    ...changes,
  };
}

/** Two buckets and a registry to ask. */
export const holders: Readonly<Record<"first" | "second" | "registry", Holder>> = {
  first: bucketHolder(bucketOf("first")),
  second: bucketHolder(bucketOf("second")),
  registry: upstreamHolder(upstreamAt("https://registry.example")),
};
