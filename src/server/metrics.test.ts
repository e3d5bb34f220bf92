import { expect, test } from "bun:test";
import fc from "fast-check";
import { label, Metrics } from "./metrics.ts";
import { parseExposition } from "./testing/exposition.ts";

test("requests are counted by decision and status, and timed in buckets that add up", () => {
  const metrics = new Metrics();
  for (const durationMs of [0.2, 1, 3, 400, 60_000]) metrics.request("cache", 200, durationMs);
  metrics.request("cache", 404, 1);
  metrics.request("redirect", 307, 0.1);
  const { samples } = parseExposition(metrics.text());
  const value = (name: string, labels: Record<string, string>): number | undefined =>
    samples.find((sample) => sample.name === name && Bun.deepEquals(sample.labels, labels))?.value;
  expect(value("periplus_requests_total", { decision: "cache", status: "200" })).toBe(5);
  expect(value("periplus_requests_total", { decision: "cache", status: "404" })).toBe(1);
  expect(value("periplus_requests_total", { decision: "redirect", status: "307" })).toBe(1);
  const duration = "periplus_request_duration_seconds";
  const counts = ["0.001", "0.005", "0.02", "0.1", "0.5", "2", "5", "30", "+Inf"].map((le) =>
    value(`${duration}_bucket`, { decision: "cache", le }),
  );
  expect(counts).toEqual([3, 4, 4, 4, 5, 5, 5, 5, 6]);
  expect(value(`${duration}_count`, { decision: "cache" })).toBe(6);
  expect(value(`${duration}_sum`, { decision: "cache" })).toBeCloseTo(60.4052, 6);
});

test("counters add up, gauges are read when asked for", () => {
  const metrics = new Metrics();
  let running = 1;
  metrics.register({ name: "g", help: "Now.", type: "gauge", read: () => [{ labels: {}, value: running }] });
  metrics.add("c_total", label("upstream", "quay.io"), 2);
  metrics.add("c_total", label("upstream", "quay.io"), 3);
  metrics.add("c_total", label("upstream", "docker.io"), 1);
  metrics.add("plain_total", "", 1);
  running = 7;
  expect(parseExposition(metrics.text()).samples).toEqual([
    { name: "c_total", labels: { upstream: "quay.io" }, value: 5 },
    { name: "c_total", labels: { upstream: "docker.io" }, value: 1 },
    { name: "plain_total", labels: {}, value: 1 },
    { name: "g", labels: {}, value: 7 },
  ]);
});

test("each family has one type and stands together", () => {
  const metrics = new Metrics();
  metrics.register({ name: "g", help: "Now.", type: "gauge", read: () => [] });
  metrics.add("c_total", "", 1);
  metrics.request("cache", 200, 1);
  metrics.request("redirect", 307, 1);
  expect(parseExposition(metrics.text()).families).toEqual([
    ["periplus_requests_total", "counter"],
    ["periplus_request_duration_seconds", "histogram"],
    ["c_total", "counter"],
    ["g", "gauge"],
  ]);
});

test("whatever a label's value is, the text stays one that parses, and gives it back", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 3 }), (values) => {
      const metrics = new Metrics();
      for (const value of new Set(values)) metrics.add("c_total", label("of", value), 1);
      const { samples } = parseExposition(metrics.text());
      expect(samples.map(({ labels }) => labels["of"])).toEqual([...new Set(values)]);
    }),
  );
});
