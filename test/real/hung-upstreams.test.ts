import { expect, setDefaultTimeout, test } from "bun:test";
import { manifestReply } from "../../src/registry/testing/content.ts";
import { hang } from "../../src/registry/testing/scripted-reply.ts";
import { startScriptedUpstream } from "../../src/registry/testing/scripted-upstream.ts";
import { RawConnection, requestText } from "../../src/server/testing/raw-connection.ts";
import { until } from "../../src/server/testing/world.ts";
import { get } from "./endpoint.ts";
import { startPeriplus } from "./periplus.ts";

// A thousand requests that hang at one upstream, through the program as it is started: the runtime's own cap of 256 requests
// in flight would let none of the others pass.

setDefaultTimeout(60_000);

const hung = 1000;

test("a thousand hung requests to one upstream delay no other, and end by themselves", async () => {
  const slow = startScriptedUpstream();
  const fast = startScriptedUpstream();
  fast.on("GET", "/v2/b/manifests/1", manifestReply("{}"));
  await using periplus = await startPeriplus({
    config: {
      log: "off",
      upstreams: {
        "slow.test": { url: slow.url, budget: { concurrent: 2 * hung } },
        "fast.test": { url: fast.url },
      },
      rules: [{ match: "*", serve: "cache", freshFor: "0s" }],
    },
  });
  const port = Number(periplus.endpoint.host.split(":")[1]);
  const clients = await Promise.all(Array.from({ length: hung }, () => RawConnection.open(port)));
  for (const [i, client] of clients.entries()) {
    slow.on("GET", `/v2/b/manifests/${i}`, hang);
    client.send(requestText("GET", `/v2/slow.test/b/manifests/${i}`));
  }
  let ended = 0;
  const answers = clients.map((client) => client.answer().finally(() => ended++));
  await until(() => slow.requests.length === hung, "all hang at the upstream");
  for (let i = 0; i < 20; i++) {
    expect((await get(periplus.endpoint, "/v2/fast.test/b/manifests/1")).status).toBe(200);
    expect((await get(periplus.endpoint, "/healthz")).status).toBe(200);
  }
  expect(ended).toBe(0);
  await until(() => ended >= 10, "the first ones end");
  // All of them said the same of it: it is left alone.
  const next = await get(periplus.endpoint, "/v2/slow.test/b/manifests/next");
  expect([next.status, next.headers.has("retry-after")]).toEqual([502, true]);
  for (const { status, body } of await Promise.all(answers)) {
    expect(status).toBe(504);
    expect(body.toString()).toContain("slow.test");
  }
  expect(slow.requests.length).toBe(hung);
  for (const client of clients) client.close();
  slow.stop();
  fast.stop();
});
