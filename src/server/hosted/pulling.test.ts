import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync, truncateSync } from "node:fs";
import type { Digest } from "../../reference/digest.ts";
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
import { uniqueBlob } from "../testing/unique-blob.ts";
import type { World } from "../testing/world.ts";

// What a repository of our own answers. OCI distribution spec v1.1, "Pull" and "Content Discovery".

let world: World;
let image: { readonly digest: Digest; readonly text: string };
beforeAll(async () => {
  world = await createStoreWorld();
  image = await pushImage(world, "team/app", "1.0");
});
afterAll(() => world[Symbol.asyncDispose]());

interface Listed {
  readonly tags?: readonly string[];
  readonly repositories?: readonly string[];
  readonly manifests?: readonly { readonly digest: string }[];
}

async function listed(path: string): Promise<readonly [Listed, string | undefined]> {
  const reply = await world.ask(path);
  expect(reply.status).toBe(200);
  const [, next] = /^<([^>]+)>; rel="next"$/.exec(reply.headers.get("link") ?? "") ?? [];
  return [(await reply.json()) as Listed, next];
}

test.each(["GET", "HEAD"])("%s of a manifest by tag and by digest has its headers", async (method) => {
  for (const reference of ["1.0", image.digest]) {
    const reply = await world.ask(`/v2/team/app/manifests/${reference}`, { method });
    expect([reply.status, await reply.text()]).toEqual([200, method === "GET" ? image.text : ""]);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "content-type": ociManifest,
      "content-length": String(image.text.length),
      "docker-content-digest": image.digest,
      "docker-distribution-api-version": "registry/2.0",
      etag: `"${image.digest}"`,
    });
  }
});

test.each<[string, string]>([
  ["/v2/team/app/manifests/2.0", "MANIFEST_UNKNOWN"],
  [`/v2/team/app/manifests/${digestOf("none")}`, "MANIFEST_UNKNOWN"],
  [`/v2/team/app/manifests/${digestOf("layer")}`, "MANIFEST_UNKNOWN"],
  [`/v2/team/app/blobs/${digestOf("none")}`, "BLOB_UNKNOWN"],
  ["/v2/team/none/tags/list", "NAME_UNKNOWN"],
])("%s is not there", async (path, code) => {
  for (const method of ["GET", "HEAD"]) {
    const reply = await world.ask(path, { method });
    expect(reply.status).toBe(404);
    if (method === "GET") expect(await errorCode(reply)).toBe(code);
  }
});

test("a digest is no permission: what one repository has, another has not", async () => {
  const paths = [`manifests/${image.digest}`, `blobs/${digestOf("layer")}`, `blobs/${digestOf("{}")}`];
  for (const path of paths) {
    expect((await world.ask(`/v2/team/app/${path}`)).status).toBe(200);
    expect((await world.ask(`/v2/team/web/${path}`)).status).toBe(404);
  }
  const put = await putManifest(world, "team/web/manifests/1", imageOf(["layer"]));
  expect([put.status, await errorCode(put)]).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
});

test.each<[string, Record<string, string>, number, readonly [number, number]]>([
  ["none", {}, 200, [0, 900_000]],
  ["the first bytes", { Range: "bytes=0-9" }, 206, [0, 10]],
  ["the last bytes", { Range: "bytes=-9" }, 206, [899_991, 900_000]],
  ["to the end", { Range: "bytes=899999-" }, 206, [899_999, 900_000]],
  ["from past the end", { Range: "bytes=900000-" }, 416, [0, 0]],
  ["several", { Range: "bytes=0-1,4-5" }, 200, [0, 900_000]],
  ["of another", { Range: "bytes=1-2", "If-Range": '"other"' }, 200, [0, 900_000]],
])("a range of a blob: %s", async (_, headers, status, [from, to]) => {
  const { blob, digest } = uniqueBlob(900_000);
  await pushBlob(world, "ranges", blob);
  const reply = await world.ask(`/v2/ranges/blobs/${digest}`, { headers });
  expect([reply.status, reply.headers.get("content-range")]).toEqual([
    status,
    status === 206 ? `bytes ${from}-${to - 1}/900000` : status === 416 ? "bytes */900000" : null,
  ]);
  if (status === 416) return;
  expect(Bun.hash(await reply.bytes())).toBe(Bun.hash(blob.subarray(from, to)));
  expect([reply.headers.get("etag"), reply.headers.get("accept-ranges")]).toEqual([`"${digest}"`, "bytes"]);
});

test("HEAD of a blob has its length and no body", async () => {
  const reply = await world.ask(`/v2/team/app/blobs/${digestOf("layer")}`, { method: "HEAD" });
  expect([reply.status, reply.headers.get("content-length"), await reply.text()]).toEqual([200, "5", ""]);
  expect(reply.headers.get("docker-content-digest")).toBe(digestOf("layer"));
});

test.each<[string, (path: string) => void]>([
  ["is gone", (path) => rmSync(path)],
  ["has lost bytes", (path) => truncateSync(path, 1)],
])("a blob whose file %s is not there, and is whole once it was pushed again (F17, F18)", async (_, damage) => {
  const digest = await pushBlob(world, "damaged", "damaged");
  damage(world.storage.layout.blob(digest));
  const reply = await world.ask(`/v2/damaged/blobs/${digest}`);
  expect([reply.status, await errorCode(reply)]).toEqual([404, "BLOB_UNKNOWN"]);
  await pushBlob(world, "damaged", "damaged");
  expect(await (await world.ask(`/v2/damaged/blobs/${digest}`)).text()).toBe("damaged");
});

test("tags are listed in order, as many as asked for, to the last page", async () => {
  for (const tag of ["b", "a", "c10", "c1"]) await pushImage(world, "tagged", tag);
  expect(await listed("/v2/tagged/tags/list")).toEqual([
    { name: "tagged", tags: ["a", "b", "c1", "c10"] } as Listed,
    undefined,
  ]);
  const seen: string[] = [];
  let next: string | undefined = "/v2/tagged/tags/list?n=3";
  for (let pages = 0; next !== undefined && pages < 9; pages++) {
    const [page, link]: readonly [Listed, string | undefined] = await listed(next);
    seen.push(...(page.tags ?? []), "|");
    next = link;
  }
  expect(seen).toEqual(["a", "b", "c1", "|", "c10", "|"]);
  expect((await listed("/v2/tagged/tags/list?last=b"))[0].tags).toEqual(["c1", "c10"]);
  expect((await listed("/v2/tagged/tags/list?n=4"))[1]).toBeUndefined();
});

test.each(["/v2/tagged/tags/list", "/v2/_catalog"])("%s?n=0 is empty and the last page", async (path) => {
  await pushImage(world, "tagged", "a");
  const [page, next] = await listed(`${path}?n=0`);
  expect([page.tags ?? page.repositories, next]).toEqual([[], undefined]);
});

test.each(["-1", "x", "1e3", "9999999999", "1.5", ""])("a page of %p is refused", async (n) => {
  for (const path of ["/v2/team/app/tags/list", "/v2/_catalog"]) {
    const reply = await world.ask(`${path}?n=${n}`);
    expect([reply.status, await errorCode(reply)]).toEqual([400, "PAGINATION_NUMBER_INVALID"]);
  }
});

test.each(["last=%00%0d%0aX:y", "last=%ff", "last=../../..", `last=${"a".repeat(500)}`, "last=a&last=b", "n=1&n=2"])(
  "an odd question for a list, %s, makes no odd answer (T20)",
  async (query) => {
    for (const path of ["/v2/team/app/tags/list", "/v2/_catalog", `/v2/team/app/referrers/${image.digest}`]) {
      const reply = await world.ask(`${path}?${query}`);
      expect(reply.status).toBe(200);
      expect(reply.headers.get("link") ?? "").toMatch(/^(<[\w/.:=&?%+-]*>; rel="next")?$/);
      expect([...reply.headers.keys()]).not.toContain("x");
    }
  },
);

test("the catalog lists what is there, a page at a time", async () => {
  await using own = await createStoreWorld();
  for (const name of ["b", "a/x", "a"]) await pushBlob(own, name, "abc");
  const first = await own.ask("/v2/_catalog?n=2");
  expect([await first.json(), first.headers.get("link")]).toEqual([
    { repositories: ["a", "a/x"] },
    '</v2/_catalog?n=2&last=a%2Fx>; rel="next"',
  ]);
  const second = await own.ask("/v2/_catalog?n=2&last=a%2Fx");
  expect([await second.json(), second.headers.get("link")]).toEqual([{ repositories: ["b"] }, null]);
});

test("referrers are listed whether or not their subject is there, by type, and page by page", async () => {
  await pushBlob(world, "subject", "{}");
  const subject = { mediaType: ociManifest, digest: digestOf("subject"), size: 7 };
  // Of such a size that a page has not room for all of them.
  const large = { text: "x".repeat(1_500_000) };
  for (const [i, artifactType] of ["x/a+json", "x/b", "x/a+json", "x/a+json"].entries()) {
    const text = imageOf([], { subject, artifactType, annotations: { ...large, i: `${i}` } });
    expect((await putManifest(world, `subject/manifests/${digestOf(text)}`, text)).status).toBe(201);
  }
  const collect = async (query: string): Promise<readonly [number, number]> => {
    let next: string | undefined = `/v2/subject/referrers/${digestOf("subject")}${query}`;
    const seen = new Set<string>();
    for (let pages = 1; ; pages++) {
      const [page, link]: readonly [Listed, string | undefined] = await listed(next);
      for (const { digest } of page.manifests ?? []) seen.add(digest);
      if (link === undefined) return [seen.size, pages];
      next = link;
    }
  };
  const types = ["", "?artifactType=x%2Fa%2Bjson", "?artifactType=x/a+json", "?artifactType=x/c"];
  const counts: unknown[] = [];
  for (const query of types) counts.push(await collect(query));
  expect(counts).toEqual([
    [4, 2],
    [3, 2],
    [3, 2],
    [0, 1],
  ]);
  const reply = await world.ask(`/v2/subject/referrers/${digestOf("subject")}?artifactType=x%2Fb`);
  expect([reply.headers.get("content-type"), reply.headers.get("oci-filters-applied")]).toEqual([
    ociIndex,
    "artifactType",
  ]);
  const all = await world.ask(`/v2/never/referrers/${digestOf("subject")}`);
  expect([all.status, all.headers.get("oci-filters-applied"), await all.json()]).toEqual([
    200,
    null,
    { schemaVersion: 2, mediaType: ociIndex, manifests: [] },
  ]);
});
