import { type Digest, digestFrom } from "../../reference/digest.ts";
import type { RegistryHost } from "../../reference/host.ts";
import type { Repository, Tag } from "../../reference/repository.ts";
import type {
  Answer,
  BlobHead,
  BlobStream,
  ManifestBody,
  ManifestHead,
  Page,
  RemoteRegistry,
  Unavailable,
} from "../../registry/remote.ts";

/** The sha256 digest of bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
}

/** An answer that gives no information. */
export function down(reason: Unavailable["reason"] = "unreachable", status?: number): Unavailable {
  return { kind: "unavailable", reason, status, message: `quay.io is down (${reason})`, retryAfterMs: undefined };
}

/** A promise that a test settles when it wants to. */
export interface Latch {
  readonly opened: Promise<void>;
  open(): void;
}

export function latch(): Latch {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** A step of a body: a piece of it, or something to wait for, or the way it breaks. */
export type BodyStep = Uint8Array<ArrayBuffer> | Promise<void> | Error;

/** A body that goes through its steps at its reader's pace. */
export function body(...steps: readonly BodyStep[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        for (;;) {
          const step = steps[next++];
          if (step === undefined) return controller.close();
          if (step instanceof Error) return controller.error(step);
          if (step instanceof Uint8Array) return controller.enqueue(step);
          await step;
        }
      },
    },
    { highWaterMark: 0 },
  );
}

type Scripts<F> = Map<string, F[]>;
type Asked = readonly [method: string, repository: string, reference: string];

/**
 * A remote registry by script: what a key (`repository reference`) is answered with, in order, the last one again and
 * again. What has no script is absent. Everything asked is recorded.
 */
export class FakeRegistry implements RemoteRegistry {
  readonly host: RegistryHost = "quay.io" as RegistryHost;
  readonly asked: Asked[] = [];
  readonly manifests: Scripts<() => Promise<Answer<ManifestBody>>> = new Map();
  readonly heads: Scripts<() => Promise<Answer<ManifestHead>>> = new Map();
  readonly blobs: Scripts<(startByte: number) => Promise<Answer<BlobStream>>> = new Map();
  readonly blobHeads: Scripts<() => Promise<Answer<BlobHead>>> = new Map();
  readonly pages: Scripts<() => Promise<Answer<Page>>> = new Map();

  /** How often a method was asked. */
  count(method: string): number {
    return this.asked.filter(([asked]) => asked === method).length;
  }

  headManifest(repository: Repository, reference: Tag | Digest): Promise<Answer<ManifestHead>> {
    return this.#answer(this.heads, "HEAD manifest", repository, reference)();
  }

  getManifest(repository: Repository, reference: Tag | Digest): Promise<Answer<ManifestBody>> {
    return this.#answer(this.manifests, "GET manifest", repository, reference)();
  }

  headBlob(repository: Repository, digest: Digest): Promise<Answer<BlobHead>> {
    return this.#answer(this.blobHeads, "HEAD blob", repository, digest)();
  }

  getBlob(repository: Repository, digest: Digest, range: { readonly startByte: number }): Promise<Answer<BlobStream>> {
    return this.#answer(this.blobs, "GET blob", repository, digest)(range.startByte);
  }

  listTags(repository: Repository, query: string): Promise<Answer<Page>> {
    return this.#answer(this.pages, "tags", repository, query)();
  }

  listReferrers(repository: Repository, digest: Digest, query: string): Promise<Answer<Page>> {
    return this.#answer(this.pages, "referrers", repository, `${digest}?${query}`)();
  }

  #answer<F>(scripts: Map<string, F[]>, ...asked: Asked): F | (() => Promise<{ readonly kind: "absent" }>) {
    this.asked.push(asked);
    const script = scripts.get(`${asked[1]} ${asked[2]}`);
    const answer = script !== undefined && script.length > 1 ? script.shift() : script?.[0];
    return answer ?? (() => Promise.resolve({ kind: "absent" }));
  }
}
