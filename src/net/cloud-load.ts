import { Failure } from "../errors/failure.ts";
import { formatAddress } from "./address.ts";
import type { Cidr } from "./cidr.ts";
import { type CloudList, parseCloudLists } from "./cloud-list.ts";
import { CLOUD_NAMES, type CloudLocation, type CloudName, type CloudRanges, cloudRanges } from "./cloud-ranges.ts";
import { buildPrefixTable } from "./prefix-table.ts";

type Lists = Readonly<Record<CloudName, CloudList>>;

/** Ten times what the clouds publish today. */
const MAX_PREFIXES = 250_000;
/** A list that shrinks below this share of the one in force was cut short. */
const LEAST_SHARE = 0.7;
const MAX_SHOWN_PROBLEMS = 5;

/**
 * Ranges from a list in the form `parseCloudLists` reads. When it is wrong anywhere, gives one block to two owners, or has less than 70 % of
 * the blocks `inForce` has for any cloud, the answer is a CONFIG_INVALID that says so, and `inForce` is what goes on to be used.
 */
export function loadCloudRanges(json: string | Uint8Array, inForce?: CloudRanges): CloudRanges | Failure {
  const read = parseCloudLists(json);
  if (read.kind === "problems") return invalid(read.problems);
  const counts = {
    aws: read.lists.aws.blocks.length,
    gcp: read.lists.gcp.blocks.length,
    azure: read.lists.azure.blocks.length,
  };
  const sizes = sizeProblems(counts, inForce?.table.prefixCounts);
  if (sizes.length > 0) return invalid(sizes);
  const { claims, locations, problems } = claimBlocks(read.lists);
  if (problems.length > 0) return invalid(problems);
  const labels = new Map(locations.map((location, index) => [location, index + 1]));
  return cloudRanges({
    published: { aws: read.lists.aws.published, gcp: read.lists.gcp.published, azure: read.lists.azure.published },
    prefixCounts: counts,
    locations,
    prefixes: buildPrefixTable(claims.map(({ cidr, location }) => ({ cidr, label: labels.get(location) ?? 0 }))),
  });
}

function invalid(problems: readonly string[]): Failure {
  const shown = problems.slice(0, MAX_SHOWN_PROBLEMS).join("; ");
  const more = problems.length > MAX_SHOWN_PROBLEMS ? `; and ${problems.length - MAX_SHOWN_PROBLEMS} more` : "";
  return new Failure({
    code: "CONFIG_INVALID",
    message: `cloud ranges cannot be used: ${shown}${more}; the ranges in force stay, give a whole and correct list`,
  });
}

type Counts = Readonly<Record<CloudName, number>>;

function sizeProblems(counts: Counts, inForce: Counts | undefined): readonly string[] {
  const total = counts.aws + counts.gcp + counts.azure;
  if (total > MAX_PREFIXES) return [`${total} blocks, more than ${MAX_PREFIXES}`];
  if (inForce === undefined) return [];
  return CLOUD_NAMES.filter((cloud) => counts[cloud] < inForce[cloud] * LEAST_SHARE).map(
    (cloud) => `${cloud} has ${counts[cloud]} blocks, less than 70 % of the ${inForce[cloud]} in force`,
  );
}

interface Claim {
  readonly cidr: Cidr;
  readonly location: CloudLocation;
}

interface Claims {
  readonly claims: readonly Claim[];
  readonly locations: readonly CloudLocation[];
  readonly problems: readonly string[];
}

/** Gives each block its one owner. A region beats the same cloud's "all regions"; two regions or clouds are a contradiction. */
function claimBlocks(lists: Lists): Claims {
  const locations: CloudLocation[] = [];
  const problems: string[] = [];
  const claims = new Map<string, Claim>();
  for (const cloud of CLOUD_NAMES) {
    for (const [region, blocks] of Map.groupBy(lists[cloud].blocks, (block) => block.region)) {
      const location = { cloud, region };
      locations.push(location);
      for (const { cidr } of blocks) {
        const key = `${formatAddress(cidr.address)}/${cidr.prefixBits}`;
        const held = claims.get(key);
        if (held === undefined || yields(held.location, location)) claims.set(key, { cidr, location });
        else if (held.location !== location && !yields(location, held.location)) {
          problems.push(`${key} is given to ${nameOf(held.location)} and to ${nameOf(location)}`);
        }
      }
    }
  }
  return { claims: [...claims.values()], locations, problems };
}

function yields(held: CloudLocation, to: CloudLocation): boolean {
  return held.cloud === to.cloud && held.region === undefined && to.region !== undefined;
}

function nameOf(location: CloudLocation): string {
  return `${location.cloud} ${location.region ?? "all regions"}`;
}
