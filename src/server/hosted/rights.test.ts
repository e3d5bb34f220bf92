import { expect, test } from "bun:test";
import { digestOf } from "../../registry/testing/content.ts";
import {
  createStoreWorld,
  errorCode,
  imageOf,
  ociManifest,
  pushBlob,
  pushImage,
  putManifest,
} from "../testing/pushing.ts";
import type { World } from "../testing/world.ts";

// Who may do what to repositories of our own. The password of every user is `U*U`.

const hash = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const users = ["ann", "ci", "eve"];
const files = { users: users.map((name) => `${name}:${hash}\n`).join("") };
const access = [
  { users: ["anonymous"], repositories: ["team/public/**", "team/public"], may: ["pull"] },
  { users: ["ann"], may: ["pull", "push", "delete"] },
  { users: ["ci"], repositories: ["team/ci/*", "team/public"], may: ["pull", "push"] },
];
const secret = [{ users: ["ann"], may: ["pull", "push"] }];

function guarded(): Promise<World> {
  const rules = [
    { match: { prefix: "secret" }, serve: "store", access: secret },
    { match: "*", serve: "store", access, immutableTags: ["v*"] },
  ];
  return createStoreWorld({ files, config: { auth: { htpasswd: "users" }, rules } });
}

function as(user: string, password = "U*U"): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

const scope = (name: string, actions: string): string =>
  `Bearer realm="http://cache.test/token",service="periplus",scope="repository:${name}:${actions}"`;

test("who has no name is told to log in, for what is to be done; who has one is refused", async () => {
  await using world = await guarded();
  const digest = digestOf("abc");
  const asked: readonly (readonly [string, string, string])[] = [
    ["GET", "team/app/manifests/1", "pull"],
    ["HEAD", `team/app/blobs/${digest}`, "pull"],
    ["GET", "team/app/tags/list", "pull"],
    ["GET", `team/app/referrers/${digest}`, "pull"],
    ["POST", "team/app/blobs/uploads/", "pull,push"],
    ["GET", "team/app/blobs/uploads/x", "pull,push"],
    ["PATCH", "team/app/blobs/uploads/x", "pull,push"],
    ["PUT", "team/app/blobs/uploads/x", "pull,push"],
    ["DELETE", "team/app/blobs/uploads/x", "pull,push"],
    ["PUT", "team/app/manifests/1", "pull,push"],
    ["DELETE", "team/app/manifests/1", "delete"],
    ["DELETE", `team/app/blobs/${digest}`, "delete"],
    ["POST", "team/public/blobs/uploads/", "pull,push"],
  ];
  for (const [method, path, actions] of asked) {
    const [name = ""] = path.split(/\/(?:blobs|manifests|tags|referrers)\//);
    const nobody = await world.ask(`/v2/${path}`, { method });
    expect([path, nobody.status, nobody.headers.get("www-authenticate")]).toEqual([path, 401, scope(name, actions)]);
    const eve = await world.ask(`/v2/${path}`, { method, headers: as("eve") });
    expect([path, eve.status, method === "HEAD" ? "DENIED" : await errorCode(eve)]).toEqual([path, 403, "DENIED"]);
    const wrong = await world.ask(`/v2/${path}`, { method, headers: as("ann", "wrong") });
    expect([path, wrong.status]).toEqual([path, 401]);
    const ann = await world.ask(`/v2/${path}`, { method, headers: as("ann") });
    expect([path, [401, 403].includes(ann.status)]).toEqual([path, false]);
  }
});

test("anybody pulls what is public, by an anonymous token or without; a token is its user's", async () => {
  await using world = await guarded();
  await pushImage(world, "team/public", "1", { headers: as("ci") });
  const token = async (headers: Record<string, string>): Promise<Record<string, string>> => {
    const reply = await world.ask("/token?service=periplus&scope=repository:team/public:pull,push", { headers });
    return { Authorization: `Bearer ${((await reply.json()) as { readonly token: string }).token}` };
  };
  for (const headers of [{}, await token({})]) {
    expect((await world.ask("/v2/team/public/manifests/1", { headers })).status).toBe(200);
    expect((await world.ask(`/v2/team/public/blobs/${digestOf("layer")}`, { headers })).status).toBe(200);
    const push = await world.ask("/v2/team/public/blobs/uploads/", { method: "POST", headers });
    expect([push.status, push.headers.get("www-authenticate")]).toEqual([401, scope("team/public", "pull,push")]);
  }
  const headers = await token(as("ci"));
  expect((await world.ask("/v2/team/public/blobs/uploads/", { method: "POST", headers })).status).toBe(202);
});

test("a blob is mounted only from where its pusher may pull, whatever rule that is under", async () => {
  await using world = await guarded();
  await pushBlob(world, "secret/x", "hidden", as("ann"));
  await pushBlob(world, "team/app", "anns", as("ann"));
  await pushBlob(world, "team/ci/one", "cis", as("ci"));
  const mount = async (user: string, text: string, from: string): Promise<number> => {
    const path = `/v2/team/ci/two/blobs/uploads/?mount=${digestOf(text)}${from}`;
    return (await world.ask(path, { method: "POST", headers: as(user) })).status;
  };
  // A grant for everything under the target's rule is none under the source's.
  const rules = [
    { match: { prefix: "secret" }, serve: "store", access: [{ users: ["ann"], may: ["pull"] }] },
    { match: "*", serve: "store", access: [{ users: ["ci"], repositories: ["**"], may: ["pull", "push"] }] },
  ];
  await using wide = await createStoreWorld({ files, config: { auth: { htpasswd: "users" }, rules } });
  await wide.storage.hosted.addBlob("secret/x" as never, { digest: digestOf("hidden"), sizeBytes: 6, leasedAtMs: 1 });
  const widely = await wide.ask(`/v2/a/blobs/uploads/?mount=${digestOf("hidden")}&from=secret/x`, {
    method: "POST",
    headers: as("ci"),
  });
  expect(widely.status).toBe(202);
  expect({
    "ci: hidden, named": await mount("ci", "hidden", "&from=secret/x"),
    "ci: hidden, not named": await mount("ci", "hidden", ""),
    "ci: ann's, named": await mount("ci", "anns", "&from=team/app"),
    "ci: ann's, not named": await mount("ci", "anns", ""),
    "ci: its own, named": await mount("ci", "cis", "&from=team/ci/one"),
    "ann: hidden, named": await mount("ann", "hidden", "&from=secret/x"),
    "ann: hidden, not named": await mount("ann", "hidden", ""),
  }).toEqual({
    "ci: hidden, named": 202,
    "ci: hidden, not named": 202,
    "ci: ann's, named": 202,
    "ci: ann's, not named": 202,
    "ci: its own, named": 201,
    "ann: hidden, named": 201,
    "ann: hidden, not named": 201,
  });
});

test("nothing is mounted from a name that is a cache's, though one of our own is called as its repository is there", async () => {
  const rules = [
    { match: "docker.io", serve: "cache" },
    { match: { prefix: "ours" }, serve: "store", access: [{ users: ["ci"], may: ["pull", "push"] }] },
    { match: "*", serve: "store", access: secret },
  ];
  const config = { auth: { htpasswd: "users" }, upstreams: { "docker.io": { public: true } }, rules };
  await using world = await createStoreWorld({ files, config });
  await pushBlob(world, "team/app", "hidden", as("ann"));
  const mount = async (from: string): Promise<number> => {
    const path = `/v2/ours/x/blobs/uploads/?mount=${digestOf("hidden")}&from=${from}`;
    return (await world.ask(path, { method: "POST", headers: as("ci") })).status;
  };
  expect([await mount("docker.io/team/app"), await mount("team/app")]).toEqual([202, 202]);
});

test("the catalog has the names that the client may pull from, by the rule of each", async () => {
  await using world = await guarded();
  for (const name of ["secret/x", "team/app", "team/ci/a", "team/public"]) await pushBlob(world, name, "a", as("ann"));
  const names = async (headers: Record<string, string>): Promise<unknown> => {
    const reply = await world.ask("/v2/_catalog", { headers });
    return reply.status === 200
      ? ((await reply.json()) as { readonly repositories: unknown }).repositories
      : reply.status;
  };
  expect(await names(as("ann"))).toEqual(["secret/x", "team/app", "team/ci/a", "team/public"]);
  expect(await names(as("ci"))).toEqual(["team/ci/a", "team/public"]);
  expect(await names(as("eve"))).toEqual(["team/public"]);
  expect(await names({})).toBe(401);
});

test("a tag that never changes is set once, and neither it nor its manifest goes", async () => {
  await using world = await guarded();
  const headers = as("ann");
  const { digest } = await pushImage(world, "team/app", "v1", { headers });
  const put = (reference: string, more = {}): Promise<Response> =>
    putManifest(world, `team/app/manifests/${reference}`, imageOf(["layer"], more), headers);
  const changed = { annotations: { changed: "yes" } };
  const remove = (reference: string): Promise<Response> =>
    world.ask(`/v2/team/app/manifests/${reference}`, { method: "DELETE", headers });
  const seen: unknown[] = [];
  for (const reply of [
    await put("v1"),
    await put("v1", changed),
    await put(`${digestOf(imageOf(["layer"], changed))}?tag=v1`, changed),
    await put("latest", changed),
    await remove("v1"),
    await remove(digest),
    await remove("latest"),
  ])
    seen.push([reply.status, await errorCode(reply)]);
  expect(seen).toEqual([
    [201, ""],
    [403, "DENIED"],
    [403, "DENIED"],
    [201, ""],
    [403, "DENIED"],
    [403, "DENIED"],
    [202, ""],
  ]);
  const now = await world.ask("/v2/team/app/manifests/v1", { headers });
  expect([now.headers.get("docker-content-digest"), now.headers.get("content-type")]).toEqual([digest, ociManifest]);
});

test("how far a push is says whether the blob is held to those alone who may pull it", async () => {
  await using world = await guarded();
  const digest = await pushBlob(world, "secret/app", "abc", as("ann"));
  const broken = async (user: string): Promise<string> => {
    const headers = as(user);
    const begun = await world.ask("/v2/team/public/blobs/uploads/", { method: "POST", headers });
    const pieces = [new TextEncoder().encode("ab")];
    const body = new ReadableStream({
      pull: (controller) => {
        const piece = pieces.pop();
        if (piece === undefined) controller.error(new Error("the client is gone"));
        else controller.enqueue(piece);
      },
    });
    const path = `${begun.headers.get("location")}?digest=${digest}`;
    const reply = await world.ask(path, { method: "PUT", headers, body });
    return `${reply.status} ${reply.headers.get("range")}`;
  };
  expect([await broken("ci"), await broken("ann")]).toEqual(["400 0-1", "400 0-0"]);
});

test.each<[string, string, Record<string, unknown>, number]>([
  ["on this machine everything is done without a name", "127.0.0.1:5000", {}, 202],
  ["on the network nothing is pushed without a name", "0.0.0.0:5000", {}, 403],
  ["who is not among the clients does nothing", "127.0.0.1:5000", { clients: ["10.0.0.0/8"] }, 403],
])("%s", async (_, listen, config, status) => {
  await using world = await createStoreWorld({ config: { listen, ...config } });
  const reply = await world.ask("/v2/a/blobs/uploads/", { method: "POST" });
  expect(reply.status).toBe(status);
  const pull = await world.ask("/v2/a/tags/list");
  expect(pull.status).toBe("clients" in config ? 403 : 404);
  expect((await world.ask("/v2/_catalog")).status).toBe("clients" in config ? 403 : 200);
});
