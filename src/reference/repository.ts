/** A repository name in one registry (`library/nginx`), without the registry's host. OCI distribution spec, `<name>`. */
export type Repository = string & { readonly __brand: "Repository" };

/** A tag. OCI distribution spec, `<reference>` as a tag: up to 128 characters. */
export type Tag = string & { readonly __brand: "Tag" };

const nameMaxLength = 255;
const tagForm = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * Parses a repository name in one pass; `undefined` when it breaks the grammar
 * `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/…)*` or is longer than 255 characters.
 */
export function parseRepository(text: string): Repository | undefined {
  return isNameFrom(text, 0) ? (text as Repository) : undefined;
}

/** True when the part of `text` from `start` on is a repository name; lets a caller check without cutting the string. */
export function isNameFrom(text: string, start: number): boolean {
  const end = text.length;
  if (end === start || end - start > nameMaxLength) return false;
  let i = start;
  while (i < end) {
    if (!isAlphanumeric(text.charCodeAt(i))) return false;
    do i++;
    while (i < end && isAlphanumeric(text.charCodeAt(i)));
    if (i === end) return true;
    i = afterSeparator(text, i);
    if (i < 0) return false;
  }
  return false;
}

/** Parses a tag; `undefined` when it is not `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. */
export function parseTag(text: string): Tag | undefined {
  return tagForm.test(text) ? (text as Tag) : undefined;
}

/** The index after one separator at `i` (`/`, `.`, `_`, `__` or a run of `-`), or -1 when there is none. */
function afterSeparator(text: string, i: number): number {
  switch (text.charCodeAt(i)) {
    case 47:
    case 46:
      return i + 1;
    case 95:
      return text.charCodeAt(i + 1) === 95 ? i + 2 : i + 1;
    case 45: {
      let next = i + 1;
      while (text.charCodeAt(next) === 45) next++;
      return next;
    }
    default:
      return -1;
  }
}

function isAlphanumeric(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
}
