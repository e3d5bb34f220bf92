import type { Answer, Page, Unavailable } from "../registry/remote.ts";

/** A page is asked to hold that many; a registry may give fewer. */
const firstQuery = "n=1000";
const pagesMax = 1000;

/** Asks for the pages of a list one after the other; all of them or no knowledge. `take` says whether a page is as it should be. */
export async function eachPage(
  ask: (query: string) => Promise<Answer<Page>>,
  take: (page: Page) => boolean,
  what: string,
): Promise<Answer<object>> {
  let query: string | undefined = firstQuery;
  for (let count = 0; count < pagesMax; count++) {
    const page: Answer<Page> = await ask(query);
    if (page.kind !== "found") return page;
    if (!take(page)) return refused(`${what} is not written as it should be`);
    if (page.nextQuery === undefined) return { kind: "found" };
    query = page.nextQuery;
  }
  return refused(`${what} has more than ${pagesMax} pages`);
}

function refused(message: string): Unavailable {
  return { kind: "unavailable", reason: "refused", status: undefined, message, retryAfterMs: undefined };
}
