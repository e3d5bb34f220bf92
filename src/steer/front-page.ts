import type { RedirectSettings } from "../config/settings.ts";

/** Where a path that is not the API's leads people: `/` to `info`, `/privacy…` to `privacy`; `undefined` when to nowhere. */
export function frontPage({ info, privacy }: RedirectSettings, path: string): string | undefined {
  if (path === "/") return info;
  return path.startsWith("/privacy") ? privacy : undefined;
}
