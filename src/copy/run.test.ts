import { expect, test } from "bun:test";
import { mediaTypes } from "../manifest/media-types.ts";
import { cosignTags, referrersTag } from "../manifest/referrer-tags.ts";
import { parsePlatform } from "../reference/platform.ts";
import { down, FakeRegistry } from "./testing/fake-registry.ts";
import { blob, forPlatform, index, manifest, type TestBlob } from "./testing/images.ts";
import { copyAll, pairOf, testRun } from "./testing/world.ts";

const config = blob("{}", 2, "application/vnd.oci.image.config.v1+json");
const base = blob("base", 4000);
const amd = blob("amd", 300);
const arm = blob("arm", 200);
const imageOf = (...layers: readonly TestBlob[]) =>
  manifest({ config: config.named, layers: layers.map(({ named }) => named) });
const amdImage = imageOf(base, amd);
const armImage = imageOf(base, arm);
const multi = index([forPlatform(amdImage, "linux/amd64"), forPlatform(armImage, "linux/arm64/v8")]);
const parts = [config, base, amd, arm, amdImage, armImage];

function worlds(options: ConstructorParameters<typeof FakeRegistry>[1] = {}): {
  readonly from: FakeRegistry;
  readonly to: FakeRegistry;
} {
  const from = new FakeRegistry("from.example", { hasReferrers: true });
  from.hold("a/b", parts, { v1: multi, single: amdImage });
  return { from, to: new FakeRegistry("to.example", { hasReferrers: true, ...options }) };
}

test("an index is copied whole and verbatim: blobs once, children first, its tag last", async () => {
  const { from, to } = worlds();
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  expect(rows).toMatchObject([{ status: "copied", digest: multi.body.digest, failures: [], warnings: [] }]);
  expect(rows[0]?.figures).toEqual({
    manifests: { put: 3, there: 0 },
    blobs: { sent: 4, mounted: 0, there: 0 },
    sizeBytes: 4502,
    sentBytes: 4502,
    referrers: 0,
  });
  expect(to.tag("x", "v1")).toEqual(multi.body);
  expect(to.digests("x")).toEqual(from.digests("a/b"));
  expect(to.requests.at(-1)).toBe("PUT x v1");
  expect(from.count("GET-BLOB")).toBe(4);
});

test("the same again costs one HEAD at each end", async () => {
  const { from, to } = worlds();
  await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  const before = [from.requests.length, to.requests.length];
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  expect(rows).toMatchObject([{ status: "skipped", why: "it is there already", digest: multi.body.digest }]);
  expect([from.requests.length, to.requests.length]).toEqual(before.map((count) => count + 1));
});

test("images that share layers send them once to a registry, whoever comes first, and mount them elsewhere", async () => {
  const { from, to } = worlds();
  const pairs = ["x", "y", "z"].flatMap((name) =>
    ["v1", "single"].map((tag) => pairOf(from.end("a/b"), to.end(name), tag)),
  );
  const { rows } = await copyAll(pairs);
  expect(rows.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => "copied"));
  expect(from.count("GET-BLOB")).toBe(4);
  expect(rows.reduce((sum, { figures }) => sum + figures.sentBytes, 0)).toBe(4502);
  expect(rows.reduce((sum, { figures }) => sum + figures.blobs.mounted, 0)).toBe(8);
});

test("within one registry nothing is sent: blobs are mounted from the source's repository", async () => {
  const { from } = worlds();
  const { rows } = await copyAll([pairOf(from.end("a/b"), from.end("c"), "v1")]);
  expect(rows).toMatchObject([{ status: "copied", figures: { sentBytes: 0, blobs: { mounted: 4 } } }]);
  expect(from.count("GET-BLOB")).toBe(0);
});

test("a manifest that is at the target stands for its parts, unless nothing is to be trusted", async () => {
  const { from, to } = worlds();
  to.hold("x", [config, base, amd, amdImage]);
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  expect(rows[0]?.figures).toMatchObject({ manifests: { put: 2, there: 1 }, blobs: { sent: 1, there: 2 } });
  to.drop("x", amd.named.digest);
  await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1", "v2")], { trust: "nothing" });
  expect(to.digests("x")).toContain(amd.named.digest);
});

test("one bad image stops no other, and each has its row and its kind", async () => {
  const { from, to } = worlds();
  const doubtful = manifest({ config: config.named, Config: base.named, layers: [] });
  const lacking = imageOf(blob("nowhere"));
  const old = manifest({ name: "old" }, mediaTypes.dockerManifestV1Signed);
  from.hold("a/b", [], { doubtful, lacking, old });
  const tags = ["v1", "absent", "doubtful", "lacking", "old"];
  const { rows } = await copyAll(tags.map((tag) => pairOf(from.end("a/b"), to.end("x"), tag)));
  expect(rows.map(({ status, failures }) => [status, failures[0]?.kind])).toEqual([
    ["copied", undefined],
    ["failed", "absent"],
    ["failed", "manifest"],
    ["failed", "missing"],
    ["failed", "manifest"],
  ]);
  expect(rows[2]?.failures[0]?.message).toContain('another spelling of "config"');
  expect(rows[4]?.failures[0]?.message).toContain("Docker schema 1");
  expect(to.tag("x", "lacking")).toBeUndefined();
});

test("children that the source of an index lacks are left out with a warning; the target decides", async () => {
  const { from, to } = worlds();
  from.drop("a/b", armImage.body.digest);
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  expect(rows).toMatchObject([{ status: "failed", failures: [{ side: "target" }] }]);
  expect(rows[0]?.warnings[0]).toContain(armImage.body.digest);
  expect(to.digests("x")).toContain(amdImage.body.digest);
});

test("layers that are had from elsewhere are not looked for", async () => {
  const { from, to } = worlds();
  const foreign = blob("windows", 7, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
  from.hold("a/b", [], { win: imageOf(foreign, amd) });
  expect((await copyAll([pairOf(from.end("a/b"), to.end("x"), "win")])).rows).toMatchObject([{ status: "copied" }]);
  expect(to.digests("x")).not.toContain(foreign.named.digest);
});

test.each([
  [["linux/amd64"], false, amdImage.body.digest, [amdImage]],
  [["linux/amd64", "linux/arm64"], false, multi.body.digest, [amdImage, armImage, multi]],
])("platforms %j, new index %p", async (platforms, mayMakeIndex, digest, expected) => {
  const { from, to } = worlds();
  const options = { platforms: platforms.map((text) => parsePlatform(text)!), mayMakeIndex };
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")], options);
  expect(rows).toMatchObject([{ status: "copied", digest }]);
  expect(to.tag("x", "v1")?.digest).toBe(digest);
  for (const { body } of expected) expect(to.digests("x")).toContain(body.digest);
  const again = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")], options);
  expect(again.rows).toMatchObject([{ status: "skipped" }]);
});

test("several platforms of more are put by digest, or named by an index of their own when that is asked for", async () => {
  const { from, to } = worlds();
  const third = forPlatform(imageOf(arm), "linux/s390x");
  const wide = index([forPlatform(amdImage, "linux/amd64"), forPlatform(armImage, "linux/arm64"), third], {
    annotations: { kept: "yes" },
  });
  from.hold("a/b", [imageOf(arm)], { wide });
  const platforms = ["linux/amd64", "linux/arm64"].map((text) => parsePlatform(text)!);
  const pairs = [pairOf(from.end("a/b"), to.end("x"), "wide")];
  const { rows } = await copyAll(pairs, { platforms });
  expect(rows).toMatchObject([{ status: "copied", digest: undefined, target: "to.example/x" }]);
  expect(rows[0]?.warnings[0]).toContain("nothing is tagged");
  expect(to.tag("x", "wide")).toBeUndefined();
  expect(to.digests("x")).toContain(armImage.body.digest);

  const made = await copyAll(pairs, { platforms, mayMakeIndex: true });
  expect(made.rows[0]?.warnings[0]).toContain("a new index");
  const document = JSON.parse(new TextDecoder().decode(to.tag("x", "wide")?.bytes)) as { manifests: object[] };
  expect(document).toMatchObject({ annotations: { kept: "yes" }, mediaType: mediaTypes.ociIndex });
  expect(document.manifests).toHaveLength(2);
  expect((await copyAll(pairs, { platforms, mayMakeIndex: true })).rows).toMatchObject([{ status: "skipped" }]);
  const none = await copyAll(pairs, { platforms: [parsePlatform("windows/amd64")!] });
  expect(none.rows).toMatchObject([{ status: "failed", failures: [{ kind: "platform" }] }]);
});

const signature = manifest({ config: config.named, layers: [blob("signed").named] });
const sbom = manifest({
  config: config.named,
  layers: [blob("sbom").named],
  subject: multi.named,
  annotations: { made: "today" },
});
const sbomSignature = manifest({ config: config.named, layers: [], subject: sbom.named });

function signed(): FakeRegistry {
  const { from } = worlds();
  const [tag = ""] = cosignTags(multi.body.digest);
  from.hold("a/b", [blob("signed"), blob("sbom"), sbom, sbomSignature], { [tag]: signature });
  return from;
}

test("what refers to an image comes with it, and the image's tag comes last", async () => {
  const from = signed();
  const to = new FakeRegistry("to.example", { hasReferrers: true });
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  expect(rows).toMatchObject([{ status: "copied", incomplete: [], figures: { referrers: 3 } }]);
  expect(to.tag("x", cosignTags(multi.body.digest)[0] ?? "")).toEqual(signature.body);
  expect(to.digests("x")).toEqual(expect.arrayContaining([sbom.body.digest, sbomSignature.body.digest]));
  expect(to.requests.at(-1)).toBe("PUT x v1");
  expect(from.count("TAGS")).toBe(1);
  const bare = new FakeRegistry("bare.example");
  await copyAll([pairOf(from.end("a/b"), bare.end("x"), "v1")], { referrers: "none" });
  expect(bare.digests("x")).toHaveLength(7);
});

test("a target without the referrers API gets the list under its tag, once for each", async () => {
  const from = signed();
  const to = new FakeRegistry("to.example");
  await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  const tag = referrersTag(multi.body.digest);
  const list = (): object => JSON.parse(new TextDecoder().decode(to.tag("x", tag)?.bytes)) as object;
  const entry = { digest: sbom.body.digest, annotations: { made: "today" }, artifactType: config.named.mediaType };
  expect(list()).toMatchObject({ manifests: [entry] });
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1", "v2")]);
  expect(rows).toMatchObject([{ status: "copied", incomplete: [] }]);
  expect(list()).toMatchObject({ manifests: [entry] });
  const back = new FakeRegistry("back.example", { hasReferrers: true });
  await copyAll([pairOf(to.end("x"), back.end("x"), "v1")]);
  expect(back.digests("x")).toEqual(expect.arrayContaining([sbom.body.digest, sbomSignature.body.digest]));
});

test("signatures that came later are seen where all are asked for", async () => {
  const from = signed();
  const { to } = worlds();
  const pairs = [pairOf(from.end("a/b"), to.end("x"), "v1")];
  await copyAll(pairs, { referrers: "none" });
  expect((await copyAll(pairs)).plan.counts.present).toBe(1);
  const { plan, rows } = await copyAll(pairs, { referrers: "all" });
  expect(plan.rows[0]).toMatchObject({ state: "copy", notes: [expect.stringContaining("3 of 3 referrers")] });
  expect(rows).toMatchObject([{ status: "copied", figures: { referrers: 3 } }]);
  expect((await copyAll(pairs, { referrers: "all" })).plan.counts.present).toBe(1);
});

test("a signature's tag that stands for something else is moved, or left when that is not allowed", async () => {
  const from = signed();
  const [tag = ""] = cosignTags(multi.body.digest);
  for (const mayOverwrite of [true, false]) {
    const to = new FakeRegistry("to.example", { hasReferrers: true });
    to.hold("x", [], { [tag]: sbomSignature });
    const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")], { mayOverwrite });
    expect(to.tag("x", tag)).toEqual(mayOverwrite ? signature.body : sbomSignature.body);
    const left = mayOverwrite ? [] : [expect.stringContaining("stands for something else and is left so")];
    expect(rows).toMatchObject([{ status: "copied", incomplete: left }]);
  }
});

test("a referrer that is there and in no list of the target's is missing, and is listed again", async () => {
  const from = signed();
  const to = new FakeRegistry("to.example");
  const pairs = [pairOf(from.end("a/b"), to.end("x"), "v1")];
  await copyAll(pairs, { referrers: "all" });
  const list = to.tag("x", referrersTag(multi.body.digest));
  if (list === undefined) throw new Error("there is no list");
  to.drop("x", list.digest);
  const { plan, rows } = await copyAll(pairs, { referrers: "all" });
  expect(plan.rows[0]).toMatchObject({ state: "copy", notes: [expect.stringContaining("1 of 3 referrers")] });
  expect(rows).toMatchObject([{ status: "copied", incomplete: [] }]);
  expect(to.tag("x", referrersTag(multi.body.digest))).toEqual(list);
  expect((await copyAll(pairs, { referrers: "all" })).plan.counts.present).toBe(1);
});

test("referrers that cannot be listed or put leave the image complete and say so", async () => {
  const from = signed();
  const { to } = worlds({
    before: (request) => (request === `PUT x ${sbom.body.digest}` ? down("failed", 400) : undefined),
  });
  const { rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  expect(rows).toMatchObject([{ status: "copied", figures: { referrers: 2 } }]);
  expect(rows[0]?.incomplete).toEqual([expect.stringContaining(sbom.body.digest)]);
  expect(to.tag("x", "v1")).toEqual(multi.body);
});

test("a tag that stands for something else is moved, or left when that is not allowed", async () => {
  const { from, to } = worlds();
  to.hold("x", [config, base, amd, amdImage], { v1: amdImage });
  const pairs = [pairOf(from.end("a/b"), to.end("x"), "v1")];
  const left = await copyAll(pairs, { mayOverwrite: false });
  expect(left.rows).toMatchObject([{ status: "skipped", why: "to.example/x:v1 stands for something else" }]);
  const { plan, rows } = await copyAll(pairs);
  expect(plan.rows).toMatchObject([{ state: "differs", targetDigest: amdImage.body.digest }]);
  expect(rows).toMatchObject([{ status: "copied", replaced: amdImage.body.digest, digest: multi.body.digest }]);
});

test("by digest nothing is tagged", async () => {
  const { from, to } = worlds();
  const { digest } = multi.body;
  const pairs = [pairOf(from.end("a/b"), to.end("x"), digest)];
  expect((await copyAll(pairs)).rows).toMatchObject([{ status: "copied", digest, target: `to.example/x@${digest}` }]);
  expect(to.digests("x")).toContain(digest);
  expect((await copyAll(pairs)).rows).toMatchObject([{ status: "skipped" }]);
});

test("stopped, it ends; the same run goes on from what is there", async () => {
  const run = testRun();
  const { from, to } = worlds({
    before: (request) => {
      if (request.startsWith("PUT")) run.stop.abort();
      return undefined;
    },
  });
  const pairs = [pairOf(from.end("a/b"), to.end("x"), "v1")];
  const { rows } = await copyAll(pairs, {}, run);
  expect(rows.map(({ status }) => status)).toEqual(["failed"]);
  expect(rows[0]?.failures[0]?.kind).toBe("cancelled");
  const read = from.count("GET-BLOB");
  const held = parts.filter((part) => "bytes" in part && to.digests("x").includes(part.named.digest)).length;
  expect(held).toBeGreaterThanOrEqual(3);
  const again = await copyAll(pairs);
  expect(again.rows).toMatchObject([{ status: "copied" }]);
  expect(from.count("GET-BLOB") - read).toBe(4 - held);
});

test("a target that will not say what it has is tried all the same; what is wrong shows when it is put", async () => {
  const { from, to } = worlds({
    before: (request) => (/^HEAD|^REF/.test(request) ? down("denied", 403) : undefined),
  });
  const { plan, rows } = await copyAll([pairOf(from.end("a/b"), to.end("x"), "v1")]);
  expect(plan.rows).toMatchObject([{ state: "unknown", failure: { kind: "denied", side: "target" } }]);
  expect(rows).toMatchObject([{ status: "copied" }]);
});

test("a target that was reached for no image of the plan is not tried blob by blob; one that was reached once is", async () => {
  const isUnreached = (tag: string) => (request: string) =>
    request.startsWith("HEAD x ") && request.endsWith(tag) ? down("unreachable") : undefined;
  const { from, to } = worlds({ before: isUnreached("") });
  const dead = await copyAll(["v1", "single"].map((tag) => pairOf(from.end("a/b"), to.end("x"), tag)));
  expect(dead.rows.map(({ status, failures }) => [status, failures.length, failures[0]?.kind])).toEqual([
    ["failed", 1, "unreachable"],
    ["failed", 1, "unreachable"],
  ]);
  expect(to.requests.filter((request) => !request.startsWith("HEAD"))).toEqual([]);
  const shaky = worlds({ before: isUnreached("v1") });
  const tried = await copyAll(["v1", "single"].map((tag) => pairOf(shaky.from.end("a/b"), shaky.to.end("x"), tag)));
  expect(tried.rows.map(({ status }) => status)).toEqual(["copied", "copied"]);
});

test("a failure to make a target last is told", async () => {
  const { from, to } = worlds();
  const target = { ...to.end("x"), close: () => Promise.reject(new Error("disk full")) };
  const { failures } = await copyAll([pairOf(from.end("a/b"), target, "v1")]);
  expect(failures).toMatchObject([{ kind: "storage", message: expect.stringContaining("disk full") }]);
});
