import { expect, test } from "bun:test";
import { mergeMetrics } from "./merge-metrics.ts";
import { Metrics } from "./metrics.ts";

function counted(requests: number): Metrics {
  const metrics = new Metrics();
  for (let i = 0; i < requests; i++) metrics.request("redirect", 307, 2);
  metrics.add("periplus_probes_total", 'holder="a b"', requests);
  metrics.register({
    name: "periplus_rules",
    help: "Rules in force.",
    type: "gauge",
    read: () => [{ labels: {}, value: 7 }],
  });
  return metrics;
}

test("the merged text is that of one process that did all the work", () => {
  const together = counted(5);
  together.add("periplus_only_in_one_total", 'x="y"', 1);
  const one = counted(2);
  one.add("periplus_only_in_one_total", 'x="y"', 1);
  expect(mergeMetrics([one.text(), counted(3).text()])).toBe(together.text());
});
