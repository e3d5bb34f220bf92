import { isLoopback } from "../../config/place.ts";
import { defaultUrl } from "../../config/named-upstream.ts";
import type { RegistryHost } from "../../reference/host.ts";
import type { CopyIo } from "./io.ts";

const probeMs = 5000;

/**
 * Where a registry is reached: by https, except on this machine and where the person allowed it: there what it speaks is found
 * out, with a question that carries nothing.
 */
export async function urlOf(host: RegistryHost, isInsecure: boolean, io: Pick<CopyIo, "fetch">): Promise<string> {
  const secure = defaultUrl(host);
  if (!isInsecure && !isLoopback(new URL(secure).hostname)) return secure;
  try {
    const answer = await io.fetch(`${secure}/v2/`, {
      redirect: "manual",
      signal: AbortSignal.timeout(probeMs),
      tls: { rejectUnauthorized: false },
    });
    await answer.body?.cancel();
    return secure;
  } catch {
    return secure.replace(/^https:/, "http:");
  }
}
