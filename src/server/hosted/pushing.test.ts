import { afterAll, beforeAll, expect, test } from "bun:test";
import { digestOf } from "../../registry/testing/content.ts";
import {
  createStoreWorld,
  errorCode,
  imageOf,
  ociIndex,
  ociManifest,
  pushBlob,
  pushImage,
  putManifest,
} from "../testing/pushing.ts";
import type { World } from "../testing/world.ts";

// Everything that is sent to a repository of our own, and what comes back. OCI distribution spec v1.1, "Push".

let world: World;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const digest = digestOf("abc");
const none = digestOf("none");

async function begin(repository = "team/app"): Promise<string> {
  const reply = await world.ask(`/v2/${repository}/blobs/uploads/`, { method: "POST" });
  expect(reply.status).toBe(202);
  return reply.headers.get("location") ?? "";
}

function seen({ status, headers }: Response, ...names: readonly string[]): readonly unknown[] {
  return [status, ...names.map((name) => headers.get(name))];
}

test("an upload in pieces says how far it is, and ends in a blob", async () => {
  const location = await begin();
  const [, id = ""] = /^\/v2\/team\/app\/blobs\/uploads\/([\w-]+)$/.exec(location) ?? [];
  const states: (readonly unknown[])[] = [];
  const state = ["location", "range", "docker-upload-uuid"];
  states.push(seen(await world.ask(location), ...state));
  states.push(seen(await world.ask(location, { method: "PATCH", body: "a" }), ...state));
  states.push(
    seen(await world.ask(location, { method: "PATCH", body: "b", headers: { "Content-Range": "1-1" } }), ...state),
  );
  states.push(seen(await world.ask(location, { method: "HEAD" }), ...state));
  expect(states).toEqual([
    [204, location, "0-0", id],
    [202, location, "0-0", id],
    [202, location, "0-1", id],
    [204, location, "0-1", id],
  ]);
  const end = await world.ask(`${location}?digest=${digest}`, { method: "PUT", body: "c" });
  expect(seen(end, "location", "docker-content-digest", "docker-distribution-api-version")).toEqual([
    201,
    `/v2/team/app/blobs/${digest}`,
    digest,
    "registry/2.0",
  ]);
  expect(await (await world.ask(`/v2/team/app/blobs/${digest}`)).text()).toBe("abc");
  expect(seen(await world.ask(location))).toEqual([404]);
});

test.each<[string, string, string, RequestInit, number, string]>([
  ["bytes from further on", "PATCH", "", { body: "d", headers: { "Content-Range": "4-4" } }, 416, "RANGE_INVALID"],
  ["bytes from before", "PATCH", "", { body: "d", headers: { "Content-Range": "0-0" } }, 416, "RANGE_INVALID"],
  ["a range that is none", "PATCH", "", { body: "d", headers: { "Content-Range": "x" } }, 416, "RANGE_INVALID"],
  [
    "a range of another length",
    "PATCH",
    "",
    { body: "d", headers: { "Content-Range": "3-9", "Content-Length": "1" } },
    416,
    "RANGE_INVALID",
  ],
  [
    "a last piece from further on",
    "PUT",
    `?digest=${digest}`,
    { body: "d", headers: { "Content-Range": "4-4" } },
    416,
    "RANGE_INVALID",
  ],
  ["an end without a digest", "PUT", "", {}, 400, "DIGEST_INVALID"],
  ["an end with a digest that is none", "PUT", "?digest=sha256:abc", {}, 400, "DIGEST_INVALID"],
  [
    "an end with a digest of a kind that is not kept",
    "PUT",
    `?digest=md5:${"0".repeat(32)}`,
    {},
    400,
    "DIGEST_INVALID",
  ],
  ["a POST", "POST", "", {}, 405, "UNSUPPORTED"],
])("an upload is not changed by %s", async (_, ...[method, query, init, status, code]) => {
  const location = await begin();
  await world.ask(location, { method: "PATCH", body: "abc" });
  const reply = await world.ask(`${location}${query}`, { method, ...init });
  expect([reply.status, await errorCode(reply)]).toEqual([status, code]);
  if (code === "RANGE_INVALID" && !String(new Headers(init.headers).get("content-range")).startsWith("x"))
    expect([null, "0-2"]).toContain(reply.headers.get("range"));
  expect(seen(await world.ask(location), "range")).toEqual([204, "0-2"]);
  const end = await world.ask(`${location}?digest=${digest}`, { method: "PUT" });
  expect(end.status).toBe(201);
});

test("an upload whose bytes are others is refused, and is no more", async () => {
  const location = await begin();
  const end = await world.ask(`${location}?digest=${none}`, { method: "PUT", body: "abc" });
  expect([end.status, await errorCode(end)]).toEqual([400, "DIGEST_INVALID"]);
  expect([(await world.ask(location)).status, (await world.ask(`/v2/team/app/blobs/${none}`)).status]).toEqual([
    404, 404,
  ]);
});

test("an upload is cancelled once", async () => {
  const location = await begin();
  expect((await world.ask(location, { method: "DELETE" })).status).toBe(204);
  const again = await world.ask(location, { method: "DELETE" });
  expect([again.status, await errorCode(again)]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
});

test.each(["PATCH", "PUT", "GET", "DELETE"])("%s of another repository's upload finds none there", async (method) => {
  const location = await begin();
  const stolen = location.replace("team/app", "team/web");
  const query = method === "PUT" ? `?digest=${digestOf("")}` : "";
  const reply = await world.ask(`${stolen}${query}`, { method });
  expect([reply.status, await errorCode(reply)]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect((await world.ask(location)).status).toBe(204);
});

test.each<[string, string, string, number, string]>([
  ["whole", `?digest=${digestOf("whole")}`, "whole", 201, ""],
  ["whole and empty", `?digest=${digestOf("")}`, "", 201, ""],
  ["whole by sha512", `?digest=${digestOf("whole", "sha512")}`, "whole", 201, ""],
  ["whole with a digest that is none", "?digest=sha256:x", "whole", 400, "DIGEST_INVALID"],
  ["whole with another digest", `?digest=${none}`, "whole", 400, "DIGEST_INVALID"],
  ["to be mounted with a digest that is none", "?mount=sha256:x&from=team/app", "", 400, "DIGEST_INVALID"],
  ["to be mounted from nowhere", `?mount=${none}&from=team/app`, "", 202, ""],
  ["to be mounted from a name that is none", `?mount=${digest}&from=..%2F..`, "", 202, ""],
  ["to be mounted from anywhere, where it is nowhere", `?mount=${none}`, "", 202, ""],
])("a blob that comes %s", async (_, ...[query, body, status, code]) => {
  const reply = await world.ask(`/v2/posts/blobs/uploads/${query}`, { method: "POST", body });
  expect([reply.status, reply.status < 400 ? "" : await errorCode(reply)]).toEqual([status, code]);
  if (status === 201) expect(await (await world.ask(reply.headers.get("location") ?? "")).text()).toBe(body);
});

test("a blob that comes whole and wrong leaves no upload behind", async () => {
  const { uploads } = world.storage.layout;
  const files = (): Promise<readonly string[]> => Array.fromAsync(new Bun.Glob("*").scan(uploads));
  const before = (await files()).length;
  await world.ask(`/v2/posts/blobs/uploads/?digest=${none}`, { method: "POST", body: "x" });
  const headers = { "Content-Range": "5-5" };
  await world.ask(`/v2/posts/blobs/uploads/?digest=${none}`, { method: "POST", body: "x", headers });
  expect(await files()).toHaveLength(before);
});

test("a blob is mounted with and without saying from where", async () => {
  await pushBlob(world, "source", "mounted");
  const path = (to: string, from: string): string => `/v2/${to}/blobs/uploads/?mount=${digestOf("mounted")}${from}`;
  for (const [to, from] of [
    ["target-1", "&from=source"],
    ["target-2", ""],
  ] as const) {
    const reply = await world.ask(path(to, from), { method: "POST" });
    expect(seen(reply, "location", "docker-content-digest")).toEqual([
      201,
      `/v2/${to}/blobs/${digestOf("mounted")}`,
      digestOf("mounted"),
    ]);
    expect((await world.ask(`/v2/${to}/blobs/${digestOf("mounted")}`, { method: "HEAD" })).status).toBe(200);
  }
});

const image = imageOf(["layer"]);
const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] });

test.each<[string, string, RequestInit, number, string]>([
  ["by tag", "1", { body: image }, 201, ""],
  ["by digest", digestOf(image), { body: image }, 201, ""],
  ["by sha512", digestOf(image, "sha512"), { body: image }, 201, ""],
  ["by another digest", none, { body: image }, 400, "DIGEST_INVALID"],
  ["by a reference that is none", ".x", { body: image }, 400, "MANIFEST_INVALID"],
  ["without a type", "1", { body: image, headers: { "Content-Type": "" } }, 201, ""],
  [
    "of a type that is not kept",
    "1",
    { body: image, headers: { "Content-Type": "text/html" } },
    400,
    "MANIFEST_INVALID",
  ],
  ["an index", "1", { body: index, headers: { "Content-Type": ociIndex } }, 201, ""],
  ["as an index", "1", { body: image, headers: { "Content-Type": ociIndex } }, 400, "MANIFEST_INVALID"],
  ["that is empty", "1", { body: "" }, 400, "MANIFEST_INVALID"],
  ["whose layer is not here", "1", { body: imageOf(["none"]) }, 404, "MANIFEST_BLOB_UNKNOWN"],
  ["of 4 MiB", "1", { body: image + " ".repeat(4 * 1024 * 1024 - image.length) }, 201, ""],
  ["of 4 MiB and a byte", "1", { body: image + " ".repeat(4 * 1024 * 1024 + 1 - image.length) }, 413, "SIZE_INVALID"],
  ["that says it is longer", "1", { body: image, headers: { "Content-Length": "4194305" } }, 413, "SIZE_INVALID"],
  ["with a tag in the query", `${digestOf(image)}?tag=a&tag=b`, { body: image }, 201, ""],
  ["with no tag in the query", `${digestOf(image)}?tag=.x`, { body: image }, 400, "MANIFEST_INVALID"],
  [
    "with many tags in the query",
    `${digestOf(image)}?${"tag=a&".repeat(65)}`,
    { body: image },
    400,
    "MANIFEST_INVALID",
  ],
])("a manifest %s", async (_, ...[reference, init, status, code]) => {
  for (const text of ["{}", "layer"]) await pushBlob(world, "manifests", text);
  const headers = { "Content-Type": ociManifest, ...(init.headers as Record<string, string> | undefined) };
  const path = `/v2/manifests/manifests/${reference}`;
  const reply = await world.ask(path, { method: "PUT", body: init.body ?? null, headers });
  expect([reply.status, await errorCode(reply)]).toEqual([status, code]);
  if (status !== 201) return;
  const location = reply.headers.get("location") ?? "";
  expect(location).toBe(`/v2/manifests/manifests/${reply.headers.get("docker-content-digest")}`);
  expect(await (await world.ask(location)).text()).toBe(typeof init.body === "string" ? init.body : "");
  const tags = [...reply.headers].filter(([name]) => name === "oci-tag").map(([, value]) => value);
  expect(tags.join(", ")).toBe(reference.includes("tag=") ? "a, b" : "");
});

test("a manifest that refers to another says so", async () => {
  const subject = { mediaType: ociManifest, digest: none, size: 4 };
  await pushBlob(world, "refers", "{}");
  const reply = await putManifest(world, "refers/manifests/1", imageOf([], { subject }));
  expect(seen(reply, "oci-subject")).toEqual([201, none]);
});

test("a manifest goes by digest with its tags, a tag alone stays alone", async () => {
  const { digest: pushed } = await pushImage(world, "deletes", "a");
  await pushImage(world, "deletes", "b");
  const steps: unknown[] = [];
  const ask = async (method: string, path: string): Promise<void> => {
    const reply = await world.ask(`/v2/deletes/${path}`, { method });
    steps.push(`${method} ${path.replace(pushed, "DIGEST")} ${reply.status} ${await errorCode(reply)}`.trim());
  };
  await ask("DELETE", "manifests/a");
  await ask("DELETE", "manifests/a");
  await ask("HEAD", "manifests/b");
  await ask("DELETE", `manifests/${pushed}`);
  await ask("DELETE", `manifests/${pushed}`);
  await ask("HEAD", "manifests/b");
  await ask("DELETE", `blobs/${digestOf("layer")}`);
  await ask("DELETE", `blobs/${digestOf("layer")}`);
  expect(steps).toEqual([
    "DELETE manifests/a 202",
    "DELETE manifests/a 404 MANIFEST_UNKNOWN",
    "HEAD manifests/b 200",
    "DELETE manifests/DIGEST 202",
    "DELETE manifests/DIGEST 404 MANIFEST_UNKNOWN",
    "HEAD manifests/b 404 MANIFEST_UNKNOWN",
    `DELETE blobs/${digestOf("layer")} 202`,
    `DELETE blobs/${digestOf("layer")} 404 BLOB_UNKNOWN`,
  ]);
});

test.each<[string, string, number, string, string | null]>([
  ["POST", "/v2/", 405, "UNSUPPORTED", "GET, HEAD"],
  ["PUT", "/v2/_catalog", 405, "UNSUPPORTED", "GET, HEAD"],
  ["POST", "/v2/team/app/manifests/1", 405, "UNSUPPORTED", "GET, HEAD, PUT, DELETE"],
  ["PUT", `/v2/team/app/blobs/${digest}`, 405, "UNSUPPORTED", "GET, HEAD, DELETE"],
  ["GET", "/v2/team/app/blobs/uploads/", 405, "UNSUPPORTED", "POST"],
  ["DELETE", "/v2/team/app/tags/list", 405, "UNSUPPORTED", "GET, HEAD"],
  ["DELETE", `/v2/team/app/referrers/${digest}`, 405, "UNSUPPORTED", "GET, HEAD"],
  ["POST", "/v2/Team/blobs/uploads/", 400, "NAME_INVALID", null],
  ["POST", "/v2/a%2Fb/blobs/uploads/", 400, "NAME_INVALID", null],
  ["POST", "/v2//blobs/uploads/", 400, "NAME_INVALID", null],
  ["PATCH", "/v2/team/app/blobs/uploads/x%2F..%2F..", 404, "UNSUPPORTED", null],
  ["PATCH", `/v2/team/app/blobs/uploads/${"x".repeat(129)}`, 404, "UNSUPPORTED", null],
  ["PATCH", "/v2/team/app/blobs/uploads/index.db", 404, "UNSUPPORTED", null],
  ["PATCH", "/v2/team/app/blobs/uploads/x", 404, "BLOB_UPLOAD_UNKNOWN", null],
  ["PUT", "/v2/team/app/manifests/a%2fb", 400, "MANIFEST_INVALID", null],
  ["DELETE", "/v2/team/app/manifests/sha256:x", 400, "DIGEST_INVALID", null],
  ["DELETE", "/v2/team/app/blobs/x", 400, "DIGEST_INVALID", null],
])("%s %s is refused", async (method, path, ...[status, code, allow]) => {
  const reply = await world.ask(path, { method });
  expect([reply.status, reply.headers.get("allow")]).toEqual([status, allow]);
  expect(await errorCode(reply)).toBe(code);
});

test("a rule that is found by ns is found again at every address that an answer names", async () => {
  const rules = [{ match: { ns: "own.test" }, serve: "store" }];
  await using named = await createStoreWorld({ config: { rules } });
  const at = (reply: Response): string => reply.headers.get("location") ?? "";
  const begun = await named.ask("/v2/team/app/blobs/uploads/?ns=own.test", { method: "POST" });
  const sent = await named.ask(at(begun), { method: "PATCH", body: "abc" });
  const ended = await named.ask(`${at(sent)}&digest=${digest}`, { method: "PUT" });
  expect([begun.status, sent.status, ended.status]).toEqual([202, 202, 201]);
  expect(await (await named.ask(at(ended))).text()).toBe("abc");
  const text = imageOf([]).replace(digestOf("{}"), digest);
  for (const tag of ["a", "b"]) {
    const put = await putManifest(named, `team/app/manifests/${tag}?ns=own.test`, text);
    expect(await (await named.ask(at(put))).text()).toBe(text);
  }
  const first = await named.ask("/v2/team/app/tags/list?n=1&ns=own.test");
  const [, next = ""] = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "") ?? [];
  expect(await (await named.ask(next)).json()).toEqual({ name: "team/app", tags: ["b"] });
});
