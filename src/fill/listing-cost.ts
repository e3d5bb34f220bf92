/** A page of a list costs about as much as so many HEADs: 0.005 and 0.0004 dollars a thousand at AWS, and the same ratio elsewhere. */
const headsOfPage = 12;
/** Fewer blobs are asked for one by one: no list is cheaper than a list's first page and what it may miss. */
const listFrom = 100;

/** Whether it may be cheaper to list a store than to ask for so many blobs. */
export function mayList(wanted: number): boolean {
  return wanted >= listFrom;
}

/** How far a list has come. */
export interface Listed {
  readonly pages: number;
  /** The last key that it gave; digests are spread evenly, so it says how much there is in all. */
  readonly lastKey: string;
  /** Blobs that were wanted and are not in what was listed. */
  readonly left: number;
}

/** Whether going on with a list is cheaper than asking for what is left one by one. */
export function isListCheaper({ pages, lastKey, left }: Listed): boolean {
  const share = shareBefore(lastKey);
  if (share === undefined || share === 0) return left > pages * headsOfPage;
  return (pages / share - pages) * headsOfPage < left;
}

/** Which part of all digests comes before one, as keys are ordered. */
function shareBefore(key: string): number | undefined {
  const digits = /^sha(?:256|512):([0-9a-f]{8})/.exec(key)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16) / 2 ** 32;
}
