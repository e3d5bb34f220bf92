import { expect, test } from "bun:test";
import { type Digest, digestFrom } from "../reference/digest.ts";
import { mediaTypes } from "./media-types.ts";
import { partsOf, type Walk, type WalkedManifest } from "./walk.ts";

const held = new Map<Digest, WalkedManifest>();

function digestOf(bytes: Uint8Array): Digest {
  return digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
}

interface Child {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
}

function hold(document: object): WalkedManifest & Child {
  const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, ...document }));
  const row = { digest: digestOf(bytes), bytes };
  held.set(row.digest, row);
  return { ...row, size: bytes.byteLength };
}

function childOf({ digest, size }: Child, mediaType: string = mediaTypes.ociIndex): Child {
  return { mediaType, digest, size };
}

const layer = (n: number): Child => ({ mediaType: "x/layer", digest: digestOf(new Uint8Array([n, n >> 8])), size: 2 });

/** The kinds of the parts of a walk, and why something was not followed. */
async function walk(root: WalkedManifest, options: Partial<Walk<WalkedManifest>> = {}): Promise<readonly string[]> {
  const parts: string[] = [];
  const load: Walk<WalkedManifest>["load"] = async (digest) => {
    const row = held.get(digest);
    return row === undefined ? { kind: "absent" } : { kind: "row", row };
  };
  for await (const part of partsOf(root, { visited: new Set(), load, wants: () => true, ...options })) {
    parts.push("reason" in part ? `${part.kind}: ${part.reason}` : part.kind);
  }
  return parts;
}

test("an index leads to its manifests, and these to their blobs, each digest once", async () => {
  const one = hold({ config: layer(1), layers: [layer(2), layer(2)] });
  const two = hold({ config: layer(1), layers: [layer(3)] });
  const root = hold({ manifests: [one, two, one].map((row) => childOf(row, mediaTypes.ociManifest)) });
  expect(await walk(root)).toEqual(["manifest", "manifest", "blob", "blob", "manifest", "blob"]);
});

test("an index of anything else than manifests names blobs, a child without a type is a manifest", async () => {
  const one = hold({ layers: [layer(9)] });
  const root = hold({
    manifests: [childOf(layer(1), "application/vnd.example.cache"), { ...childOf(one), mediaType: undefined }],
  });
  expect(await walk(root)).toEqual(["manifest", "blob", "manifest", "blob"]);
});

test("what is absent, unwanted or not to be relied on is said and not followed", async () => {
  const doubtful = hold({ config: layer(1), Config: layer(2) });
  const unwanted = hold({ layers: [layer(4)] });
  const root = hold({ manifests: [childOf(layer(5)), childOf(doubtful), childOf(unwanted)] });
  expect(await walk(root, { wants: ({ digest }) => digest !== unwanted.digest })).toEqual([
    "manifest",
    "absent",
    'refused: the key "Config" is another spelling of "config"',
  ]);
  expect(await walk(doubtful)).toEqual(['refused: the key "Config" is another spelling of "config"']);
});

test("children that two paths lead to are walked once: a ladder of doubles costs its length", async () => {
  let below = hold({ layers: [layer(1)] });
  for (let depth = 0; depth < 7; depth++) {
    const left = hold({ manifests: [childOf(below)], annotations: { side: "left" } });
    const right = hold({ manifests: [childOf(below)], annotations: { side: "right" } });
    below = hold({ manifests: [childOf(left), childOf(right)] });
  }
  const parts = await walk(below);
  expect(parts.length).toBeLessThan(20);
  expect(parts.at(-1)).toContain("nested deeper than 8");
});

test("nesting is followed down to depth 8", async () => {
  let below = hold({ layers: [layer(1)] });
  for (let depth = 0; depth < 8; depth++) below = hold({ manifests: [childOf(below)] });
  expect((await walk(below)).at(-1)).toBe("blob");
  expect((await walk(hold({ manifests: [childOf(below)] }))).at(-1)).toContain("nested deeper than 8");
});

test("no more than 10,000 parts are followed", async () => {
  const manifests = [0, 1, 2].map((part) =>
    childOf(hold({ layers: Array.from({ length: 4000 }, (_, n) => layer(part * 4000 + n)) }), mediaTypes.ociManifest),
  );
  const parts = await walk(hold({ manifests }));
  expect(parts.filter((kind) => kind === "blob").length).toBe(10_000 - 4);
  expect(parts.at(-1)).toContain("more than 10000 parts");
});
