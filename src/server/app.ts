import { asFailure } from "../errors/failure.ts";
import { clientAddress } from "../net/forwarded.ts";
import { parseAddress } from "../net/address.ts";
import { parseEndpoint } from "../reference/endpoint.ts";
import type { RegistryHost } from "../reference/host.ts";
import { decide } from "../rules/decide.ts";
import { isDiskFull } from "../store/files.ts";
import { frontPage } from "../steer/front-page.ts";
import type { Located } from "../steer/route.ts";
import { challengeReply, identify, tokenReply } from "./access.ts";
import { type CacheDecision, cacheReply } from "./cache-reply.ts";
import { namesReply, type StoreDecision, storeReply } from "./hosted/reply.ts";
import type { Metrics } from "./metrics.ts";
import type { AccessLog, Notes } from "./record.ts";
import { errorReply, failureStatus, refusalReply } from "./replies.ts";
import type { Serving } from "./serving.ts";
import { type Target, targetOf } from "./target.ts";

/** Tells the address that a request's connection comes from. */
export interface Peers {
  requestIP(request: Request): { readonly address: string } | null;
}

/** What an app answers with beside its settings. */
export interface AppParts {
  readonly metrics: Metrics;
  /** What `/metrics` answers: this process's metrics, or those of all that share the port. */
  readonly metricsText: () => string | Promise<string>;
  readonly log: AccessLog;
  readonly nowMs: () => number;
  /** Reports what should not have happened. */
  readonly report: (message: string) => void;
}

type Reply = Response | Promise<Response>;

/** One request on its way through. */
interface Asked {
  readonly request: Request;
  readonly target: Target;
  readonly peers: Peers;
  readonly notes: Notes;
  readonly startMs: number;
}

/** Request in, response out: no port, no state but the settings in force. */
export class App {
  readonly #parts: AppParts;
  #serving: Serving;
  #isReady = true;

  constructor(serving: Serving, parts: AppParts) {
    this.#serving = serving;
    this.#parts = parts;
  }

  get serving(): Serving {
    return this.#serving;
  }

  /** Swaps the settings for every request from now on. */
  swap(serving: Serving): void {
    this.#serving = serving;
  }

  /** From now on `/readyz` says that no new work should come. */
  drain(): void {
    this.#isReady = false;
  }

  /** Answers one request and records it. Synchronous where nothing has to be waited for. */
  handle(request: Request, peers: Peers): Reply {
    const asked = {
      request,
      target: targetOf(request.url),
      peers,
      notes: { decision: "none" },
      startMs: performance.now(),
    };
    try {
      const reply = this.#answer(asked);
      if (reply instanceof Response) return this.#done(asked, reply);
      return reply.then(
        (response) => this.#done(asked, response),
        (error: unknown) => this.#done(asked, this.#failed(asked, error)),
      );
    } catch (error) {
      return this.#done(asked, this.#failed(asked, error));
    }
  }

  /** The answer where the runtime could not send the one that it was given. */
  unanswerable(error: Error): Response {
    this.#parts.report(error.stack ?? error.message);
    return ownFault();
  }

  #answer(asked: Asked): Reply {
    const { request, target, notes } = asked;
    if (!target.path.startsWith("/v2")) return this.#operations(asked);
    const serving = this.#serving;
    const host = serving.readsHost ? (request.headers.get("host") ?? undefined) : undefined;
    const decision = decide(serving.registries, {
      method: request.method,
      endpoint: parseEndpoint(target.path),
      ns: target.ns,
      host,
    });
    notes.decision = decision.kind;
    switch (decision.kind) {
      case "refuse":
        notes.error = decision.message;
        return refusalReply(decision);
      case "base":
        return this.#base(request);
      case "redirect":
        return this.#redirect(asked, decision);
      case "cache":
        note(notes, decision);
        notes.client = this.#client(asked);
        return cacheReply(serving, { request, target, clientAddress: notes.client, decision }, notes);
      case "store":
        note(notes, { ...decision, upstream: undefined });
        notes.client = this.#client(asked);
        return storeReply(serving, { request, target, clientAddress: notes.client, decision }, notes);
      case "catalog":
        notes.client = this.#client(asked);
        return namesReply(serving, { request, target, clientAddress: notes.client }, notes);
    }
  }

  #redirect(asked: Asked, decision: CacheDecision): Reply {
    const { target, notes } = asked;
    const isRecorded = !this.#parts.log.isOff;
    if (isRecorded) note(notes, decision);
    const { kind } = decision.endpoint;
    const isSteered = kind === "blob" || kind === "manifest-by-digest";
    notes.client = isSteered || isRecorded ? this.#client(asked) : "";
    const located = this.#serving.steer.locate(decision, target.query, notes.client);
    if (located instanceof Promise) return located.then((found) => redirectReply(found, decision, notes));
    return redirectReply(located, decision, notes);
  }

  #base(request: Request): Reply {
    const { access } = this.#serving;
    if (access === undefined) return baseReply();
    return identify(access, request.headers.get("authorization")).then((identity) =>
      identity === undefined ? challengeReply(request.url, undefined) : baseReply(),
    );
  }

  #operations(asked: Asked): Reply {
    const { request, target, notes } = asked;
    notes.decision = "operations";
    if (request.method !== "GET" && request.method !== "HEAD") return refusalReply(methodRefused);
    const { settings, access } = this.#serving;
    switch (target.path) {
      case "/healthz":
        return textReply(200, "ok\n");
      case "/readyz":
        return this.#isReady ? textReply(200, "ok\n") : textReply(503, "draining\n");
      case "/metrics":
        return this.#metrics(asked);
      case "/token":
        if (access === undefined) break;
        return tokenReply(access, request.headers.get("authorization"));
      default: {
        const location = frontPage(settings.redirect, target.path);
        if (location !== undefined) return temporaryRedirect(location);
        if (target.path === "/") return textReply(200, "periplus: an OCI registry front. Images are under /v2/.\n");
      }
    }
    return errorReply(404, "UNSUPPORTED", "there is nothing at this path; images are under /v2/");
  }

  async #metrics(asked: Asked): Promise<Response> {
    const address = parseAddress(this.#client(asked));
    if (address === undefined || !this.#serving.clients.contains(address)) {
      return errorReply(403, "DENIED", "metrics are for the configured clients");
    }
    return new Response(await this.#parts.metricsText(), { headers: { "Content-Type": "text/plain; version=0.0.4" } });
  }

  #client({ request, peers }: Asked): string {
    const peer = peers.requestIP(request)?.address ?? "";
    return clientAddress(peer, (name) => request.headers.get(name), this.#serving.trustedProxies);
  }

  #failed({ notes }: Asked, error: unknown): Response {
    const failure = asFailure(error, "STORAGE_FAILED", "the request could not be answered");
    notes.error = failure.message;
    const status = failureStatus(failure.code);
    if (status !== 500) return errorReply(status, "UNAVAILABLE", failure.message);
    if (isDiskFull(error)) {
      this.#parts.report(failure.message);
      return errorReply(507, "UNAVAILABLE", "there is no room left here to keep it");
    }
    this.#parts.report(failure.stack ?? failure.message);
    return ownFault();
  }

  #done(asked: Asked, response: Response): Response {
    const { metrics, log, nowMs } = this.#parts;
    const durationMs = performance.now() - asked.startMs;
    metrics.request(asked.notes.decision, response.status, durationMs);
    if (!log.isOff) {
      const { request, target, notes } = asked;
      log.write({ request, path: target.path, response, durationMs, atMs: nowMs() }, notes);
    }
    return response;
  }
}

const methodRefused = {
  kind: "refuse",
  status: 405,
  code: "UNSUPPORTED",
  message: "only GET and HEAD are answered here",
  allow: "GET, HEAD",
} as const;

function ownFault(): Response {
  return errorReply(500, "UNAVAILABLE", "something went wrong here; the log says what");
}

type Noted = Pick<StoreDecision, "rule" | "repository" | "endpoint"> & { readonly upstream: RegistryHost | undefined };

function note(notes: Notes, { rule, upstream, repository, endpoint }: Noted): void {
  notes.rule = rule.id;
  if (upstream !== undefined) notes.upstream = upstream;
  notes.repository = repository;
  if ("tag" in endpoint) notes.reference = endpoint.tag;
  else if ("digest" in endpoint) notes.reference = endpoint.digest;
}

function redirectReply({ location, source }: Located, { upstream }: CacheDecision, notes: Notes): Response {
  notes.origin = source;
  return new Response(null, { status: 307, headers: { Location: location, "OCI-Namespace": upstream } });
}

function textReply(status: number, text: string): Response {
  return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}

function temporaryRedirect(location: string): Response {
  return new Response(null, { status: 307, headers: { Location: location } });
}

function baseReply(): Response {
  return new Response("{}", {
    headers: { "Content-Type": "application/json", "Docker-Distribution-Api-Version": "registry/2.0" },
  });
}
