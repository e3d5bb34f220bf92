import { afterAll, beforeAll, expect, test } from "bun:test";
import { blobReplies, digestOf, manifestReply } from "../../registry/testing/content.ts";
import { issueTokens, type TokenIssuer } from "../../registry/testing/token-issuer.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../../registry/testing/scripted-upstream.ts";
import { uniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, settled, type World } from "../testing/world.ts";

// Threats T6, T7 and T31: who may have what, when it is held and when it is not, and what nobody may see.

const canaries = ["canary-of-the-upstream", "canary-of-the-user", "canary-of-nobody"] as const;
const [upstreamPassword, userPassword, wrongPassword] = canaries;
const held = uniqueBlob(2000);
const tagsPath = "b/tags/list";

let upstream: ScriptedUpstream;
let world: World;
let issuer: TokenIssuer;

beforeAll(async () => {
  upstream = startScriptedUpstream();
  const url = upstream.url;
  const credentials = { username: "robot", passwordFile: "password" };
  const authorization = `Basic ${Buffer.from(`robot:${upstreamPassword}`).toString("base64")}`;
  issuer = issueTokens(upstream, `${url}/token`, { authorization });
  world = await createWorld({
    started: upstream,
    files: {
      password: upstreamPassword,
      users: `ann:${await Bun.password.hash(userPassword, { algorithm: "bcrypt", cost: 4 })}\n`,
    },
    config: {
      auth: { htpasswd: "users" },
      upstreams: {
        "private.test": { url, path: "private", credentials },
        "public.test": { url, path: "public", credentials, public: true },
        "plain.test": { url, path: "plain" },
      },
    },
  });
  for (const repository of ["private/b", "public/b"]) {
    upstream.on("GET", `/v2/${repository}/manifests/1`, issuer.protect(manifestReply("{}")));
    upstream.on("GET", `/v2/${repository}/manifests/${digestOf("{}")}`, issuer.protect(manifestReply("{}")));
    upstream.on("GET", `/v2/${repository}/blobs/${held.digest}`, issuer.protect(blobReplies(held.blob)));
    upstream.on("GET", `/v2/${repository}/tags/list`, issuer.protect({ body: `{"tags":[]}` }));
    upstream.on("GET", `/v2/${repository}/referrers/${held.digest}`, issuer.protect({ body: `{"manifests":[]}` }));
  }
});
afterAll(() => world[Symbol.asyncDispose]());

type Who = "nobody" | "an anonymous token" | "a user by token" | "a user by Basic" | "a wrong password" | "a bad token";

async function authorizationOf(who: Who): Promise<Record<string, string>> {
  const basic = (password: string): string => `Basic ${Buffer.from(`ann:${password}`).toString("base64")}`;
  const token = async (headers: Record<string, string>): Promise<string> => {
    const reply = await world.ask("/token?service=periplus&scope=repository:b:pull", { headers });
    return `Bearer ${((await reply.json()) as { token: string }).token}`;
  };
  switch (who) {
    case "nobody":
      return {};
    case "an anonymous token":
      return { Authorization: await token({}) };
    case "a user by token":
      return { Authorization: await token({ Authorization: basic(userPassword) }) };
    case "a user by Basic":
      return { Authorization: basic(userPassword) };
    case "a wrong password":
      return { Authorization: basic(wrongPassword) };
    case "a bad token":
      return { Authorization: `Bearer ${wrongPassword}` };
  }
}

const matrix: readonly [Who, number, number, number][] = [
  // who, what the base, a public and a private repository answer
  ["nobody", 401, 200, 401],
  ["an anonymous token", 200, 200, 401],
  ["a user by token", 200, 200, 200],
  ["a user by Basic", 200, 200, 200],
  ["a wrong password", 401, 401, 401],
  ["a bad token", 401, 401, 401],
];

const endpoints = [
  "b/manifests/1",
  `b/manifests/${digestOf("{}")}`,
  held.path,
  tagsPath,
  `b/referrers/${held.digest}`,
] as const;

for (const when of ["cold", "held"]) {
  test.each(matrix)(
    `%s: the base is %d, public is %d, private is %d, while it is ${when}`,
    async (who, ...statuses) => {
      const headers = await authorizationOf(who);
      const [base, open, closed] = statuses;
      expect((await world.ask("/v2/", { headers })).status).toBe(base);
      for (const method of ["HEAD", "GET"]) {
        for (const endpoint of endpoints) {
          for (const [host, status] of [
            ["public.test", open],
            ["private.test", closed],
          ] as const) {
            const reply = await world.ask(`/v2/${host}/${endpoint}`, { method, headers });
            await reply.bytes();
            expect([endpoint, method, host, reply.status]).toEqual([endpoint, method, host, status]);
            const challenge = reply.headers.get("www-authenticate");
            if (status === 401) expect(challenge).toContain(`scope="repository:${host}/b:pull"`);
          }
        }
      }
      await settled(world.blobs);
    },
  );
}

test("a wrong password gets no token", async () => {
  const reply = await world.ask("/token", { headers: await authorizationOf("a wrong password") });
  expect([reply.status, reply.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="periplus"']);
});

test.each([
  ["absent", { status: 404 }, 404],
  ["forbidden", { status: 403 }, 502],
  ["broken", { status: 500 }, 502],
  ["without a word", { cut: { at: "head", by: "rst" } }, 502],
] as const)("what is held for one place is not for another that is %s there (T6, T7)", async (name, reply, status) => {
  const headers = await authorizationOf("a user by Basic");
  for (const endpoint of [held.path, `b/manifests/${digestOf("{}")}`])
    expect((await world.ask(`/v2/private.test/${endpoint}`, { headers })).status).toBe(200);
  await settled(world.blobs);
  const repository = `b-${name.replaceAll(" ", "-")}`;
  for (const path of [`blobs/${held.digest}`, `manifests/${digestOf("{}")}`]) {
    upstream.on("GET", `/v2/plain/${repository}/${path}`, reply);
    for (const method of ["HEAD", "GET"]) {
      const answer = await world.ask(`/v2/plain.test/${repository}/${path}`, { method });
      const body = await answer.bytes();
      expect([path, method, answer.status]).toEqual([path, method, status]);
      expect(Buffer.from(body).includes(held.blob.subarray(0, 50))).toBe(false);
    }
    // A GET does not follow a HEAD that brought no word (and none is needed after one that did).
    expect(upstream.count("GET", `/v2/plain/${repository}/${path}`)).toBe(0);
    world.clock.advance(10 * 60_000);
  }
});

test("a registry that cannot be asked by HEAD has not said that it has what is held for another place (T6)", async () => {
  const digest = digestOf("{}");
  const headers = await authorizationOf("a user by Basic");
  expect((await world.ask(`/v2/private.test/b/manifests/${digest}`, { headers })).status).toBe(200);
  const path = `no-head/manifests/${digest}`;
  upstream.on("HEAD", `/v2/plain/${path}`, { status: 405 });
  for (const method of ["HEAD", "GET"]) {
    expect([method, (await world.ask(`/v2/plain.test/${path}`, { method })).status]).toEqual([method, 404]);
  }
});

test("what another place is proved to have is served there without being fetched again", async () => {
  const headers = await authorizationOf("a user by Basic");
  await (await world.ask(`/v2/private.test/${held.path}`, { headers })).bytes();
  await settled(world.blobs);
  upstream.on("HEAD", `/v2/plain/proved/blobs/${held.digest}`, { body: held.blob });
  const reply = await world.ask(`/v2/plain.test/proved/blobs/${held.digest}`);
  expect([reply.status, digestOf(await reply.bytes())]).toEqual([200, held.digest]);
  expect(upstream.count("GET", `/v2/plain/proved/blobs/${held.digest}`)).toBe(0);
});

test("a download that runs for users is not joined by who may not have it", async () => {
  const running = uniqueBlob(600_000);
  const gate = Promise.withResolvers<void>();
  const reply = { body: running.blob, hold: { at: 300_000, until: gate.promise } };
  upstream.on("GET", `/v2/private/${running.path}`, issuer.protect(reply));
  const headers = await authorizationOf("a user by Basic");
  const pull = await world.ask(`/v2/private.test/${running.path}`, { headers });
  expect((await world.ask(`/v2/private.test/${running.path}`)).status).toBe(401);
  expect((await world.ask(`/v2/plain.test/${running.path}`)).status).toBe(404);
  expect((await world.ask(`/v2/private.test/c/blobs/${running.digest}`, { headers })).status).toBe(404);
  gate.resolve();
  expect(digestOf(await pull.bytes())).toBe(running.digest);
});

test("no secret is in any record, message, metric or answer (T31)", async () => {
  const answers: string[] = [];
  for (const [who] of matrix) {
    for (const path of [
      "/v2/",
      "/v2/private.test/b/manifests/none",
      "/v2/plain.test/b/manifests/1",
      "/metrics",
      "/x",
    ]) {
      const query = `?password=${wrongPassword}`;
      const reply = await world.ask(path + query, { headers: await authorizationOf(who) });
      answers.push(JSON.stringify([...reply.headers]), await reply.text());
    }
  }
  const seen = [...answers, ...world.records, ...world.said, JSON.stringify(world.settings)].join("\n");
  for (const canary of canaries) {
    expect(seen).not.toContain(canary);
    expect(seen).not.toContain(Buffer.from(`ann:${canary}`).toString("base64"));
    expect(seen).not.toContain(Buffer.from(`robot:${canary}`).toString("base64"));
  }
  // The canaries were really used.
  expect(upstream.requests.some((request) => request.headers.get("authorization")?.startsWith("Basic"))).toBe(true);
});

test("no client's credential goes upstream, and none of the upstream's is sent without need", async () => {
  const headers = { ...(await authorizationOf("a user by Basic")), Cookie: "a=canary-of-the-user" };
  const before = upstream.requests.length;
  await world.ask("/v2/plain.test/b/manifests/2", { headers });
  await world.ask(`/v2/plain.test/${tagsPath}`, { headers });
  const sent = upstream.requests.slice(before);
  expect(sent.length).toBeGreaterThan(0);
  for (const request of sent) {
    expect(request.headers.has("authorization")).toBe(false);
    expect(request.headers.has("cookie")).toBe(false);
    expect(request.headers.has("x-forwarded-for")).toBe(false);
  }
});
