import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failure } from "../errors/failure.ts";
import { parseAddress } from "./address.ts";
import { addressBits, addressNumber, parseCidr } from "./cidr.ts";
import { loadCloudRanges } from "./cloud-load.ts";
import type { CloudLocation, CloudRanges } from "./cloud-ranges.ts";

type Prefixes = Readonly<Record<string, unknown>>;

/** A whole list around the parts a test is about. */
function listOf(parts: { readonly aws?: Prefixes; readonly gcp?: Prefixes; readonly azure?: Prefixes }): string {
  return JSON.stringify({
    source: "test",
    aws: { createDate: "2026-01-02", prefixes: parts.aws ?? { "us-east-1": ["3.80.0.0/12"] } },
    gcp: { creationTime: "2026-01-03", prefixes: parts.gcp ?? { "us-central1": ["34.16.0.0/17"] } },
    azure: { snapshot: "2026-01", prefixes: parts.azure ?? { eastus: ["20.25.0.0/17"] } },
  });
}

function ranges(json: string, inForce?: CloudRanges): CloudRanges {
  const loaded = loadCloudRanges(json, inForce);
  if (loaded instanceof Failure) throw loaded;
  return loaded;
}

describe("lookup", () => {
  const loaded = ranges(
    listOf({
      aws: {
        GLOBAL: ["3.0.0.0/9", "13.248.128.0/17", "2600:9000::/28", "3.5.0.0/16"],
        "us-east-1": ["3.80.0.0/12", "2600:1f18::/33", "3.5.0.0/16"],
        "eu-west-1": ["3.80.4.0/24", "2600:1f18:0:ffff::/64"],
      },
      gcp: { global: ["34.1.208.0/20"], "us-central1": ["34.16.0.0/17", "2600:1900:4000::/44"] },
    }),
  );
  const aws = (region?: string): CloudLocation => ({ cloud: "aws", region });
  const cases: readonly (readonly [text: string, location: CloudLocation | undefined])[] = [
    ["2.255.255.255", undefined],
    ["3.0.0.0", aws()],
    ["3.79.255.255", aws()],
    ["3.80.0.0", aws("us-east-1")],
    ["3.80.3.255", aws("us-east-1")],
    ["3.80.4.0", aws("eu-west-1")],
    ["3.80.4.255", aws("eu-west-1")],
    ["3.80.5.0", aws("us-east-1")],
    ["3.95.255.255", aws("us-east-1")],
    ["3.96.0.0", aws()],
    ["3.128.0.0", undefined],
    ["3.5.1.1", aws("us-east-1")],
    ["13.248.200.1", aws()],
    ["34.1.210.1", { cloud: "gcp", region: undefined }],
    ["34.16.1.1", { cloud: "gcp", region: "us-central1" }],
    ["20.25.1.1", { cloud: "azure", region: "eastus" }],
    ["::ffff:20.25.1.1", { cloud: "azure", region: "eastus" }],
    ["::ffff:1419:101", { cloud: "azure", region: "eastus" }],
    ["::20.25.1.1", undefined],
    ["2600:1f18::1", aws("us-east-1")],
    ["2600:1f18:0:fffe:ffff:ffff:ffff:ffff", aws("us-east-1")],
    ["2600:1f18:0:ffff::", aws("eu-west-1")],
    ["2600:1f18:1::", aws("us-east-1")],
    ["2600:1f18:8000::", undefined],
    ["2600:9000::5", aws()],
    ["2600:1900:4000::1", { cloud: "gcp", region: "us-central1" }],
    ["2600:18ff::", undefined],
    ["10.0.0.1", undefined],
    ["255.255.255.255", undefined],
    ["ffff::", undefined],
    ["unknown", undefined],
    ["3.80.0.0.", undefined],
    ["3.80.0.0:443", undefined],
    ["", undefined],
  ];
  test.each(cases)("%p", (text, location) => {
    expect(loaded.lookup(text)).toEqual(location as never);
  });

  test("answers the same object every time", () => {
    expect(loaded.lookup("3.80.0.1")).toBe(loaded.lookup("3.80.0.2") as never);
  });

  test("keeps when the lists were published and how long they were", () => {
    expect(loaded.table.published).toEqual({ aws: "2026-01-02", gcp: "2026-01-03", azure: "2026-01" });
    expect(loaded.table.prefixCounts).toEqual({ aws: 9, gcp: 3, azure: 1 });
  });
});

/** Random lists whose blocks nest in a few corners, each block given once. */
const randomList = fc.uniqueArray(
  fc.record({
    cloud: fc.constantFrom("aws", "gcp", "azure"),
    region: fc.constantFrom("GLOBAL", "r-1", "r-2", "r-3"),
    block: fc.oneof(
      fc.tuple(fc.constantFrom(3, 52, 255), fc.nat(3), fc.integer({ min: 8, max: 32 })).map(([a, b, bits]) => {
        const number = (((a * 2 ** 24 + b * 2 ** 16 + b * 77) >>> 0) >>> (32 - bits)) * 2 ** (32 - bits);
        return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}/${bits}`;
      }),
      fc
        .tuple(fc.constantFrom("2600", "2a05", "ffff"), fc.nat(3), fc.integer({ min: 2, max: 4 }))
        .map(([first, b, groups]) => `${[first, b, b, b].slice(0, groups).join(":")}::/${groups * 16}`),
    ),
  }),
  { selector: ({ block }) => block, minLength: 1, maxLength: 60 },
);

test("finds what trying every block finds", () => {
  const inCorners = fc.oneof(
    fc.tuple(fc.constantFrom(3, 52, 255), fc.nat(3), fc.nat(255), fc.nat(255)).map((octets) => octets.join(".")),
    fc
      .tuple(fc.constantFrom("2600", "2a05", "ffff"), fc.nat(3), fc.nat(3), fc.nat(3))
      .map((groups) => `${groups.join(":")}::9`),
    fc.ipV4(),
    fc.ipV6(),
  );
  const property = fc.property(
    randomList,
    fc.array(inCorners, { minLength: 20, maxLength: 60 }),
    (entries, addresses) => {
      const prefixesOf = (cloud: string): Prefixes => {
        const own = entries.filter((entry) => entry.cloud === cloud);
        const byRegion = Object.entries(Object.groupBy(own, (entry) => entry.region));
        return {
          ...Object.fromEntries(byRegion.map(([region, list]) => [region, list?.map(({ block }) => block)])),
          ballast: ["9.9.9.9"],
        };
      };
      // One block all clouds have would be a contradiction, so the ballast of each is its own.
      const parts = {
        aws: prefixesOf("aws"),
        gcp: { ...prefixesOf("gcp"), ballast: ["9.9.9.8"] },
        azure: { ...prefixesOf("azure"), ballast: ["9.9.9.7"] },
      };
      const loaded = ranges(listOf(parts));
      for (const text of addresses) expect(loaded.lookup(text)).toEqual(bruteForce(entries, text) as never);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

interface Entry {
  readonly cloud: string;
  readonly region: string;
  readonly block: string;
}

function bruteForce(entries: readonly Entry[], text: string): unknown {
  const address = parseAddress(text);
  let best: { readonly bits: number; readonly entry: Entry } | undefined;
  for (const entry of entries) {
    const cidr = parseCidr(entry.block);
    if (cidr === undefined || address === undefined || cidr.address.kind !== address.kind) continue;
    const hostBits = BigInt(addressBits(address) - cidr.prefixBits);
    const isInside = addressNumber(cidr.address) >> hostBits === addressNumber(address) >> hostBits;
    if (isInside && cidr.prefixBits > (best?.bits ?? -1)) best = { bits: cidr.prefixBits, entry };
  }
  if (best === undefined) return undefined;
  return { cloud: best.entry.cloud, region: best.entry.region === "GLOBAL" ? undefined : best.entry.region };
}
