/**
 * True when the whole text is of the pattern: `*` stands for any characters but a slash, `**` for any, everything else for itself. In
 * time bounded by the product of both lengths, whatever they are.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  // Every position of the pattern that the text read so far can have led to.
  let reached = new Set(skipStars(pattern, 0));
  for (const character of text) {
    const next = new Set<number>();
    for (const at of reached) {
      for (const position of stepOver(pattern, at, character)) next.add(position);
    }
    reached = next;
  }
  return reached.has(pattern.length);
}

/** A position, and those behind stars that stand for nothing. */
function skipStars(pattern: string, at: number): readonly number[] {
  const positions = [at];
  let position = at;
  while (pattern[position] === "*") positions.push((position = afterStar(pattern, position)));
  return positions;
}

function stepOver(pattern: string, at: number, character: string): readonly number[] {
  if (pattern[at] !== "*") return pattern[at] === character ? skipStars(pattern, at + 1) : [];
  const isDeep = pattern[at + 1] === "*";
  return character === "/" && !isDeep ? [] : skipStars(pattern, at);
}

function afterStar(pattern: string, at: number): number {
  return pattern[at + 1] === "*" ? at + 2 : at + 1;
}
