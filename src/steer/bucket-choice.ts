import type { Bucket, Cloud } from "../config/settings.ts";
import { bucketHolder, type Holder } from "./holder.ts";

/** Where a client is, by its address. No region: an address that its cloud announces for all regions alike. */
export interface ClientPlace {
  readonly cloud: Cloud;
  readonly region: string | undefined;
}

/** A bucket that may be chosen, and what a digest is put behind. */
export interface BucketChoice {
  readonly holder: Holder;
  readonly prefix: string;
}

/** The buckets for each place, in the order they are tried; made once for a configuration. */
export interface BucketOrder {
  for(place: ClientPlace | undefined): readonly BucketChoice[];
}

/** Orders the buckets: those of the client's region in its cloud, then the first of its cloud, then the default. */
export function orderBuckets(buckets: readonly Bucket[]): BucketOrder {
  const choices = new Map(
    buckets.map((bucket) => [bucket, { holder: bucketHolder(bucket), prefix: `${bucket.url}/` }]),
  );
  const chosen = (wanted: readonly Bucket[]): readonly BucketChoice[] =>
    [...new Set(wanted)].map((bucket) => choices.get(bucket)).filter((choice) => choice !== undefined);
  const defaults = buckets.filter((bucket) => bucket.isDefault);
  const elsewhere = chosen(defaults);
  const clouds = new Map<
    Cloud,
    { readonly regions: Map<string, readonly BucketChoice[]>; rest: readonly BucketChoice[] }
  >();
  for (const [cloud, own] of Map.groupBy(buckets, (bucket) => bucket.cloud)) {
    if (cloud === undefined) continue;
    const rest = [...own.slice(0, 1), ...defaults];
    const regions = new Set(own.flatMap((bucket) => bucket.regions));
    const near = (region: string): readonly Bucket[] => own.filter((bucket) => bucket.regions.includes(region));
    clouds.set(cloud, {
      regions: new Map([...regions].map((region) => [region, chosen([...near(region), ...rest])])),
      rest: chosen(rest),
    });
  }
  return {
    for(place) {
      const cloud = place === undefined ? undefined : clouds.get(place.cloud);
      if (cloud === undefined || place === undefined) return elsewhere;
      return (place.region === undefined ? undefined : cloud.regions.get(place.region)) ?? cloud.rest;
    },
  };
}
