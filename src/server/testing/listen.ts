import type { App } from "../app.ts";
import { Listener, type ListenerOptions } from "../listener.ts";

/** A listener of a test, closed with its scope. */
export interface TestListener extends AsyncDisposable {
  readonly listener: Listener;
  readonly url: string;
  readonly port: number;
}

/** Opens a free port of 127.0.0.1 for an app. */
export function listen(app: App, options: Partial<ListenerOptions> = {}): TestListener {
  const listener = new Listener(app, { hostname: "127.0.0.1", port: 0, tls: undefined, isShared: false, ...options });
  const { url } = listener;
  return { listener, url, port: Number(new URL(url).port), [Symbol.asyncDispose]: () => listener.stop(0) };
}
