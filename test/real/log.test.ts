import { expect, setDefaultTimeout, test } from "bun:test";
import { startScriptedUpstream } from "../../src/registry/testing/scripted-upstream.ts";
import { uniqueBlob } from "../../src/server/testing/unique-blob.ts";
import { until } from "../../src/server/testing/world.ts";
import { get, urlOf } from "./endpoint.ts";
import { startPeriplus } from "./periplus.ts";

// What the program writes when pulls break: the runtime prints on its own, so only the program itself can be asked.

setDefaultTimeout(30_000);

test("a download that breaks is one line in the log, however many clients it had, without a stack", async () => {
  const upstream = startScriptedUpstream();
  await using periplus = await startPeriplus({
    config: { upstreams: { "registry.test": { url: upstream.url } }, rules: [{ match: "*", serve: "cache" }] },
  });
  const wrong = uniqueBlob(900_000);
  const cut = uniqueBlob(900_000);
  const body = Buffer.alloc(900_000, "other");
  upstream.on("GET", `/v2/${wrong.path}`, { body });
  upstream.on("GET", `/v2/${cut.path}`, { body: cut.blob, cut: { at: 400_000, by: "rst" } });
  for (const { path } of [wrong, cut]) {
    const answers = Array.from({ length: 10 }, async () => {
      const answer = await get(periplus.endpoint, `/v2/registry.test/${path}`);
      return answer.bytes().then(
        () => answer.status,
        () => "broken",
      );
    });
    for (const answer of await Promise.all(answers.map((answer) => answer.catch(() => "broken")))) {
      expect(["broken", 502]).toContain(answer);
    }
  }
  const messages = async (): Promise<readonly string[]> => {
    const lines = (await periplus.log()).split("\n").filter((line) => line !== "" && !line.startsWith("{"));
    return lines.slice(lines.findIndex((line) => line.includes(`curl -s ${urlOf(periplus.endpoint)}`)) + 1);
  };
  await until(async () => (await messages()).length >= 2, "both are said");
  const said = await messages();
  expect(said.filter((line) => line.includes(wrong.digest)).length).toBe(1);
  expect(said.filter((line) => line.includes(cut.digest)).length).toBe(said.length - 1);
  expect(said.join("\n")).not.toMatch(/^\s+at |Failure|\|/m);
  upstream.stop();
});
