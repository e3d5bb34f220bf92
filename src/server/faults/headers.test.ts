import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { manifestReply } from "../../registry/testing/content.ts";
import type { ScriptedReply } from "../../registry/testing/scripted-reply.ts";
import { listen, type TestListener } from "../testing/listen.ts";
import { RawConnection, requestText } from "../testing/raw-connection.ts";
import { uniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, settled, type World } from "../testing/world.ts";

// Threats T16 and T30: what an upstream or a client says in headers goes no further than it is meant to.

const oddHeaders = {
  "Set-Cookie": "session=canary",
  Server: "canary/1.0",
  Via: "1.1 canary",
  "X-Amz-Request-Id": "canary",
  "X-Repository-Name": "secret/canary",
  "X-Robots-Tag": "canary",
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Credentials": "true",
  "Cache-Control": "public, max-age=31536000",
  "Content-Security-Policy": "canary",
  "Content-Disposition": 'attachment; filename="canary"',
  "Content-Language": "canary",
  "WWW-Authenticate": 'Bearer realm="https://canary.test/token"',
  Location: "https://canary.test/",
  Refresh: "0; url=https://canary.test/",
  Warning: '299 - "canary"',
  Age: "123456789",
  ETag: '"canary"',
  "OCI-Namespace": "canary.test",
  "Docker-Distribution-Api-Version": "canary/2.0",
  "Transfer-Encoding-X": "canary",
  Trailer: "X-Canary",
  "Keep-Alive": "timeout=1",
  "Proxy-Authenticate": "Basic realm=canary",
  "RateLimit-Remaining": "0;w=21600",
} as const;

/** Every header that any answer may have; values are checked where an upstream could have chosen them. */
const allowed = new Set([
  "accept-ranges",
  "age",
  "allow",
  "content-disposition",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "docker-content-digest",
  "docker-distribution-api-version",
  "etag",
  "link",
  "oci-filters-applied",
  "oci-namespace",
  "retry-after",
  "transfer-encoding",
  "warning",
  "x-content-type-options",
]);

let world: World;
let port: TestListener;
const held = uniqueBlob(300_000);
const small = uniqueBlob(300);

beforeAll(async () => {
  world = await createWorld();
  port = listen(world.app);
  const odd = (reply: ScriptedReply): ScriptedReply => ({ ...reply, headers: { ...oddHeaders, ...reply.headers } });
  world.upstream.on("GET", "/v2/b/manifests/1", odd(manifestReply("{}")));
  world.upstream.on("GET", "/v2/b/tags/list", odd({ headers: { "Content-Type": "application/json" }, body: "{}" }));
  world.upstream.on("GET", `/v2/${held.path}`, odd({ body: held.blob }));
  world.upstream.on("GET", `/v2/${small.path}`, odd({ body: small.blob }));
  for (const status of [301, 400, 401, 403, 404, 418, 429, 500, 503])
    world.upstream.on("GET", `/v2/b/manifests/s${status}`, odd({ status, body: "canary" }));
});
afterAll(async () => {
  await port[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

test.each([
  "b/manifests/1",
  held.path,
  small.path,
  "b/tags/list",
  ...[301, 400, 401, 403, 404, 418, 429, 500, 503].map((status) => `b/manifests/s${status}`),
])("of what an upstream says beside %s nothing comes through (T30)", async (path) => {
  world.clock.advance(10 * 60_000);
  for (const method of ["HEAD", "GET", "GET"]) {
    const connection = await RawConnection.open(port.port);
    connection.send(requestText(method, `/v2/registry.test/${path}`));
    const answer = await connection.answer(method);
    connection.close();
    await settled(world.blobs);
    expect([...answer.headers.keys()].filter((name) => !allowed.has(name))).toEqual([]);
    const shown = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    expect(shown.toLowerCase()).not.toContain("canary");
    // An error names the host that could not be followed, and nothing else that came with it.
    const body = answer.body.toString("latin1").replaceAll("canary.test", "");
    if (answer.body.length < 1000) expect(body.toLowerCase()).not.toContain("canary");
  }
});

const buckets = ["https://bucket-one.test/images", "https://bucket-two.test"];
const places = ["https://registry.test", "https://info.test/", "https://privacy.test/", ...buckets];

test("no redirect leads anywhere that the configuration does not name (T16)", async () => {
  await using redirector = await createWorld({
    config: {
      clients: "any",
      trustedProxies: ["127.0.0.0/8"],
      upstreams: { "registry.test": { url: "https://registry.test", path: "images" } },
      rules: [
        { match: "old.test", upstream: "registry.test", serve: "redirect" },
        { match: "*", upstream: "registry.test", serve: "redirect" },
      ],
      redirect: {
        buckets: [
          { name: "one", url: buckets[0], cloud: "aws", region: "us-east-1" },
          { name: "two", url: buckets[1], default: true },
        ],
        info: "https://info.test/",
        privacy: "https://privacy.test/",
      },
    },
  });
  const piece = fc.constantFrom(
    "/",
    "//",
    "\\",
    "@",
    "evil.test",
    "%2f",
    "..",
    "b",
    "v2/",
    "manifests/",
    "1",
    "?ns=",
    "#",
    "\t",
  );
  const path = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("")}`);
  const api = fc
    .tuple(
      fc.constantFrom("b", "old.test/b", "evil.test/b", "b@evil.test"),
      fc.constantFrom("manifests/1", held.path.slice(2), "tags/list"),
    )
    .map(([name, what]) => `/v2/${name}/${what}`);
  const query = fc.constantFrom(
    "",
    "?ns=old.test",
    "?ns=evil.test",
    "?n=1&last=https://evil.test",
    "?n=%0d%0aX:1",
    "?//evil.test",
  );
  const from = fc.constantFrom(
    "8.8.8.8",
    "evil.test",
    "10.0.0.1, evil",
    "52.95.110.1",
    '"; Location: https://evil.test',
  );
  let redirects = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(path, api), query, from, async (path, query, from) => {
      const headers = { Host: "evil.test", "X-Forwarded-For": from, "X-Forwarded-Host": "evil.test" };
      const reply = await redirector.ask(path + query, { headers });
      const location = reply.headers.get("location");
      if (location === null) return;
      redirects++;
      expect(places.some((place) => new URL(location).origin === new URL(place).origin)).toBe(true);
      expect(location).not.toMatch(/[\s\\]|evil\.test\/\/|@/);
    }),
    { numRuns: 500 },
  );
  expect(redirects).toBeGreaterThan(50);
});
