const queryMaxLength = 2048;
const pairsMax = 8;
const linkMaxLength = 8192;

/**
 * The part of a page's query that belongs to its registry: `n`, `last`, `artifactType`, and whatever keys it pages by. What names
 * another registry (`ns`), is no plain word, stands twice or is too much is left out. Encoded anew, without "?".
 */
export function pageQuery(query: string): string {
  if (query.length > queryMaxLength) return "";
  const kept = new URLSearchParams();
  for (const [key, value] of new URLSearchParams(query)) {
    const isKept = /^[A-Za-z][A-Za-z0-9_.-]{0,31}$/.test(key) && key.toLowerCase() !== "ns" && !kept.has(key);
    if (isKept && kept.size < pairsMax) kept.set(key, value);
  }
  return kept.toString();
}

/**
 * The query of the target that a `Link` header calls `next` (RFC 8288; OCI distribution spec, "Listing Tags"). Its host and path
 * are not looked at: the next page is asked of the same registry about the same repository.
 */
export function nextQuery(link: string | null): string | undefined {
  if (link === null || link.length > linkMaxLength) return undefined;
  let at = 0;
  while (at < link.length) {
    const open = link.indexOf("<", at);
    const close = link.indexOf(">", open);
    if (open < 0 || close < 0) return undefined;
    const end = parametersEnd(link, close + 1);
    if (isNext(link.slice(close + 1, end))) return queryOf(link.slice(open + 1, close));
    at = end + 1;
  }
  return undefined;
}

function queryOf(target: string): string | undefined {
  const mark = target.indexOf("?");
  if (mark < 0) return undefined;
  const query = pageQuery(target.slice(mark + 1).split("#", 1)[0] ?? "");
  return query === "" ? undefined : query;
}

/** Where the parameters that begin at `start` end: at the next comma outside quotes, or with the text. */
function parametersEnd(link: string, start: number): number {
  let isQuoted = false;
  for (let at = start; at < link.length; at++) {
    const code = link.charCodeAt(at);
    if (code === 34) isQuoted = !isQuoted;
    else if (code === 44 && !isQuoted) return at;
  }
  return link.length;
}

function isNext(parameters: string): boolean {
  return parameters.split(";").some((parameter) => {
    const [name = "", value = ""] = parameter.split("=", 2);
    if (name.trim().toLowerCase() !== "rel") return false;
    return value.trim().replaceAll('"', "").toLowerCase().split(" ").includes("next");
  });
}
