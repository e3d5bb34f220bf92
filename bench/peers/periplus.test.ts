import { expect, test } from "bun:test";
import { loadSettings } from "../../src/config/load.ts";
import { cacheConfig, prefixRules, redirectConfig } from "./periplus.ts";

const place = { port: 5000, dir: "/tmp/bench" };
const loopback = "http://127.0.0.1:5001";

function load(text: string) {
  const readFile = (): never => {
    throw new Error("the benchmark's configuration names no file");
  };
  return loadSettings({ file: "periplus.yaml", text, env: {}, cwd: "/", readFile });
}

test.each([
  ["redirect", redirectConfig(5000, { upstreamUrl: "https://upstream.example", bucketUrl: loopback })],
  ["cache", cacheConfig(place, loopback, [])],
  ["cache of many rules", cacheConfig(place, loopback, prefixRules(1000))],
])("the configuration of the %s loads", async (_, text) => {
  expect(await load(text)).toMatchObject({ kind: "loaded" });
});
