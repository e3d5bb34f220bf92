import { defaultClients, defaultListen } from "./defaults.ts";
import { type Draft, fromFile } from "./draft.ts";
import { isLoopback, type ListenAddress, parseListen } from "./place.ts";
import type { Settings, TlsFiles } from "./settings.ts";

/** Where to listen, and who may come in there. */
export function accessOf(draft: Draft): Pick<Settings, "listen" | "tls" | "clients" | "trustedProxies" | "auth"> {
  const { config } = draft;
  const listen = listenOf(draft);
  const tls = (config.tls ?? []).map((files) => tlsOf(draft, files));
  const auth = config.auth === undefined ? undefined : { htpasswd: fromFile(draft, config.auth.htpasswd) };
  if (auth !== undefined && tls.length === 0 && !draft.broken.has("tls") && !isLoopback(listen.hostname)) {
    draft.findings.problem(
      ["auth"],
      "passwords would go over the network in the clear: add tls, or listen on a loopback address such as 127.0.0.1:5000",
    );
  }
  return { listen, tls, clients: config.clients ?? defaultClients, trustedProxies: config.trustedProxies ?? [], auth };
}

function listenOf({ config, overrides, findings }: Draft): ListenAddress {
  const fallback = { hostname: "127.0.0.1", port: 5000 };
  if (overrides.listen === undefined) return parseListen(config.listen ?? defaultListen) ?? fallback;
  const listen = parseListen(overrides.listen);
  if (listen === undefined) {
    findings.problem(["--listen"], "must be HOST:PORT such as 127.0.0.1:5000, 0.0.0.0:8080 or [::]:8080");
  }
  return listen ?? fallback;
}

function tlsOf(draft: Draft, files: { cert: string; key: string; clientCA?: string | undefined }): TlsFiles {
  const { cert, key, clientCA } = files;
  return {
    cert: fromFile(draft, cert),
    key: fromFile(draft, key),
    clientCa: clientCA === undefined ? undefined : fromFile(draft, clientCA),
  };
}
