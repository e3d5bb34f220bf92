import { digestOf } from "../../../copy/testing/images.ts";

/** What a registry on a loopback port is different in. */
export interface LoopbackOptions {
  /** `USER:PASSWORD` that it wants, by Basic. */
  readonly login?: string;
  /** What it answers instead: given `METHOD PATH`, a status, or nothing. */
  readonly instead?: (request: string) => Response | undefined;
}

interface Held {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** A registry in memory behind a real port: as much of the OCI distribution spec as copies use. */
export class LoopbackRegistry implements AsyncDisposable {
  /** Methods and paths, in order. */
  readonly requests: string[] = [];
  readonly #options: LoopbackOptions;
  readonly #server: ReturnType<typeof Bun.serve>;
  /** By path below `/v2/`: `REPO/blobs/DIGEST`, `REPO/manifests/REFERENCE`. */
  readonly held: Map<string, Held> = new Map();

  constructor(options: LoopbackOptions = {}) {
    this.#options = options;
    this.#server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => this.#answer(request) });
  }

  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  /** Puts a manifest and blobs there without being asked. */
  hold(repository: string, tag: string, document: object, blobs: readonly Uint8Array<ArrayBuffer>[] = []): string {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    for (const blob of blobs) this.held.set(`${repository}/blobs/${digestOf(blob)}`, { bytes: blob, type: "" });
    const type = "mediaType" in document ? String(document.mediaType) : "";
    for (const reference of [tag, digestOf(bytes)])
      this.held.set(`${repository}/manifests/${reference}`, { bytes, type });
    return digestOf(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    this.requests.push(`${request.method} ${pathname}`);
    const { login, instead } = this.#options;
    const other = instead?.(`${request.method} ${pathname}`);
    if (other !== undefined) return other;
    if (login !== undefined && request.headers.get("authorization") !== `Basic ${btoa(login)}`) {
      return new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } });
    }
    const path = pathname.slice("/v2/".length);
    switch (request.method) {
      case "POST":
        return new Response(null, { status: 202, headers: { Location: `${pathname}1` } });
      case "PUT":
        return await this.#put(path, new Uint8Array(await request.arrayBuffer()), {
          digest: searchParams.get("digest"),
          type: request.headers.get("content-type") ?? "",
        });
      case "DELETE":
        return new Response(null, { status: this.held.delete(path) ? 202 : 404 });
      default:
        return this.#get(path);
    }
  }

  async #put(
    path: string,
    bytes: Uint8Array<ArrayBuffer>,
    { digest, type }: { readonly digest: string | null; readonly type: string },
  ): Promise<Response> {
    const said = digestOf(bytes);
    if (digest !== null && digest !== said) return new Response(null, { status: 400 });
    const at = digest === null ? path : path.replace(/uploads\/.*/, digest);
    this.held.set(at, { bytes, type });
    if (digest === null) this.held.set(at.replace(/[^/]+$/, said), { bytes, type });
    return new Response(null, { status: 201, headers: { "Docker-Content-Digest": said } });
  }

  #get(path: string): Response {
    if (path === "") return new Response("{}");
    if (path === "_catalog") return Response.json({ repositories: this.#repositories() });
    if (path.endsWith("/tags/list")) {
      const repository = path.slice(0, -"/tags/list".length);
      if (!this.#repositories().includes(repository)) return new Response(null, { status: 404 });
      return Response.json({ tags: this.#tags(repository) });
    }
    const held = this.held.get(path);
    if (held === undefined) return new Response(null, { status: 404 });
    const headers = { "Content-Type": held.type, "Docker-Content-Digest": digestOf(held.bytes) };
    return new Response(held.bytes, { headers });
  }

  #repositories(): readonly string[] {
    return [...new Set([...this.held.keys()].map((path) => path.replace(/\/(blobs|manifests)\/.*/, "")))];
  }

  #tags(repository: string): readonly string[] {
    const before = `${repository}/manifests/`;
    const names = [...this.held.keys()]
      .filter((path) => path.startsWith(before))
      .map((path) => path.slice(before.length));
    return names.filter((name) => !name.startsWith("sha256:"));
  }
}
