import { parseEndpoint } from "../reference/endpoint.ts";
import type { Authorization, Authorizer } from "./auth.ts";
import { discard } from "./body.ts";
import type { UpstreamBudget } from "./budget.ts";
import type { Origins, Target } from "./origins.ts";
import type { Unavailable } from "./remote.ts";
import { isRead, type RegistryRequest } from "./request.ts";
import type { Exchange, Incoming, OutgoingBody } from "./transport.ts";
import { unavailable } from "./unavailable.ts";

/** What a request is sent with. */
export interface Route {
  readonly exchange: Exchange;
  readonly origins: Origins;
  readonly authorizer: Authorizer;
  readonly budget: UpstreamBudget;
}

/** A request as it is sent. */
export type Sendable = Omit<RegistryRequest, "body"> & { readonly body?: OutgoingBody };

/** An answer that is no redirect, and where it came from. */
export interface Answered {
  readonly kind: "answered";
  readonly response: Response;
  readonly target: Target;
}

const redirectsMax = 5;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks the upstream and follows its redirects by hand: at most five, to where `Origins` allows. The upstream's credentials go to
 * its own origin only, and no more once the way has left it. What changes something goes to where an upload may go, and only by a
 * redirect that keeps the method.
 */
export async function follow(route: Route, request: Sendable, signal: AbortSignal): Promise<Answered | Unavailable> {
  let target = request.to ?? route.origins.own(request.path, request.query);
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const scope = target.isOwn ? request.scope : foreignScope(target.url);
    const known = scope === undefined ? undefined : route.authorizer.current(target, scope, signal);
    const used = known instanceof Promise ? await known : known;
    if (used?.kind === "unavailable") return used;
    const hop: Hop = { target, signal, used };
    const first = await send(route, request, hop);
    const answer =
      scope !== undefined && first.kind === "response" && first.response.status === 401
        ? await refused(route, request, { ...hop, scope }, first)
        : first;
    if (answer.kind === "unavailable") return answer;
    const { response } = answer;
    if (!redirectStatuses.has(response.status)) return { kind: "answered", response, target };
    await discard(response, signal);
    const next = nextOf(route.origins, request, { response, target });
    if (next.kind === "unavailable") return next;
    target = target.isOwn ? next : { ...next, isOwn: false };
  }
  return unavailable("refused", `it redirects more than ${redirectsMax} times`);
}

function nextOf(
  origins: Origins,
  request: Sendable,
  { response, target }: Omit<Answered, "kind">,
): Target | Unavailable {
  const location = response.headers.get("location");
  const { status } = response;
  if (isRead(request.method)) return origins.redirect(target.url, location);
  if (status === 307 || status === 308) return origins.upload(target.url, location);
  return unavailable("refused", `${target.url.host} answered a ${request.method} with the redirect ${status}`, {
    status,
  });
}

/** True when a 404 from there is a registry's word: of the upstream itself, or of another registry that it redirects to. */
export function speaksForRegistry(target: Target): boolean {
  return target.isOwn || nameOf(target.url) !== undefined;
}

/** Asks once again when what was known to be wanted is refused and something else is at hand; else the refusal stands. */
async function refused(
  route: Route,
  request: Sendable,
  hop: Hop & { readonly scope: string },
  first: Incoming,
): Promise<Incoming | Unavailable> {
  const { target, scope, used, signal } = hop;
  const challenge = first.response.headers.get("www-authenticate");
  const renewed = await route.authorizer.answer({ target, scope, challenge, used, signal });
  if (renewed === undefined) return first;
  await discard(first.response, signal);
  if (renewed.kind === "unavailable") return renewed;
  const second = await send(route, request, { target, signal, used: renewed });
  if (second.kind === "response" && second.response.status === 401) route.authorizer.forget(target, scope, renewed);
  return second;
}

interface Hop {
  readonly target: Target;
  readonly signal: AbortSignal;
  readonly used: Authorization | undefined;
}

/** One exchange, when the upstream may be asked one more question now. */
function send(route: Route, request: Sendable, hop: Hop): Unavailable | Promise<Incoming | Unavailable> {
  const { target, signal, used } = hop;
  const spent = target.isOwn ? route.budget.spend() : undefined;
  if (spent !== undefined) return spent;
  const headers = used === undefined ? request.headers : { ...request.headers, Authorization: used.header };
  const { method, body } = request;
  const outgoing = { method, target, headers, signal };
  return route.exchange(body === undefined ? outgoing : { ...outgoing, body });
}

/** A registry that another one redirects to knows the repository by a name of its own, the one in the path. */
function foreignScope(url: URL): string | undefined {
  const name = nameOf(url);
  return name === undefined ? undefined : `repository:${name}:pull`;
}

function nameOf(url: URL): string | undefined {
  const endpoint = parseEndpoint(url.pathname);
  return "name" in endpoint ? endpoint.name : undefined;
}
