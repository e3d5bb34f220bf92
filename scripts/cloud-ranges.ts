/**
 * Makes the cloud ranges that are compiled into the program: `bun scripts/cloud-ranges.ts LIST.json [OUTPUT.json]`.
 *
 * LIST.json holds what the clouds publish (AWS ip-ranges.json, Google cloud.json, Azure service tags AzureCloud.REGION), by region:
 *
 *   {"source": "where the lists come from",
 *    "aws":   {"createDate": "…",   "prefixes": {"us-east-1": ["3.80.0.0/12", "2600:1f18::/33", …], "GLOBAL": […]}},
 *    "gcp":   {"creationTime": "…", "prefixes": {"us-central1": […], "global": […]}},
 *    "azure": {"snapshot": "…",     "prefixes": {"eastus": […]}}}
 *
 * The running program takes the same form when its ranges are replaced. OUTPUT.json is src/net/data/cloud-ranges.json when not given;
 * its form is `CloudSnapshot` in src/net/cloud-snapshot.ts. The same input gives the same bytes.
 */
import { Failure } from "../src/errors/failure.ts";
import { loadCloudRanges } from "../src/net/cloud-load.ts";
import { encodeSnapshot } from "../src/net/cloud-snapshot.ts";

const [input, output = `${import.meta.dir}/../src/net/data/cloud-ranges.json`] = process.argv.slice(2);
if (input === undefined) {
  console.error("usage: bun scripts/cloud-ranges.ts LIST.json [OUTPUT.json]");
  process.exit(2);
}
const json = await Bun.file(input).text();
const ranges = loadCloudRanges(json);
if (ranges instanceof Failure) {
  console.error(ranges.message);
  process.exit(1);
}
const document: unknown = JSON.parse(json);
const hasSource = typeof document === "object" && document !== null && "source" in document;
const source = hasSource ? String(document.source) : "The providers' published lists";
const text = `${JSON.stringify(encodeSnapshot(ranges.table, source), null, 2)}\n`;
await Bun.write(output, text);
const { prefixCounts, prefixes, locations } = ranges.table;
console.log(
  `${output}: ${text.length} bytes, ${JSON.stringify(prefixCounts)} blocks, ${locations.length} locations, ` +
    `${prefixes.v4Labels.length} IPv4 and ${prefixes.v6Labels.length} IPv6 intervals`,
);
