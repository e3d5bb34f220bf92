/** One challenge of a `WWW-Authenticate` header: its scheme in lower case and its parameters, names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const headerMaxLength = 8192;
const challengesMax = 16;
const parametersMax = 32;

/**
 * Reads `WWW-Authenticate` in one pass (RFC 9110, 11.6.1): several challenges, quoted strings with commas and escapes, any order.
 * The first of two equal parameters counts. What breaks the grammar ends the reading; what was read before it stands.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  if (header.length > headerMaxLength) return challenges;
  let parameters = new Map<string, string>();
  let at = skipSeparators(header, 0);
  while (at < header.length && challenges.length < challengesMax && parameters.size < parametersMax) {
    const nameEnd = tokenEnd(header, at);
    if (nameEnd === at) return challenges;
    const name = header.slice(at, nameEnd).toLowerCase();
    const equals = skipBlanks(header, nameEnd);
    const isParameter = header.charCodeAt(equals) === equalsSign && challenges.length > 0;
    if (isParameter) {
      const value = readValue(header, skipBlanks(header, equals + 1));
      if (value === undefined) return challenges;
      if (!parameters.has(name)) parameters.set(name, value.text);
      at = skipSeparators(header, value.end);
    } else {
      parameters = new Map();
      challenges.push({ scheme: name, parameters });
      at = skipToken68(header, nameEnd);
    }
  }
  return challenges;
}

/** The first challenge of a scheme, given in lower case. */
export function challengeOf(challenges: readonly Challenge[], scheme: string): Challenge | undefined {
  return challenges.find((challenge) => challenge.scheme === scheme);
}

const equalsSign = 61;
const quote = 34;
const backslash = 92;
const comma = 44;

interface ReadText {
  readonly text: string;
  readonly end: number;
}

function readValue(header: string, start: number): ReadText | undefined {
  if (header.charCodeAt(start) === quote) return readQuoted(header, start + 1);
  const end = tokenEnd(header, start);
  return end === start ? undefined : { text: header.slice(start, end), end };
}

function readQuoted(header: string, start: number): ReadText | undefined {
  let text = "";
  for (let at = start; at < header.length; at++) {
    const code = header.charCodeAt(at);
    if (code === quote) return { text, end: at + 1 };
    if (code === backslash) at++;
    text += header[at] ?? "";
  }
  return undefined;
}

/** What may follow a scheme instead of parameters, such as `Negotiate YII=`: skipped, nobody here uses it. */
function skipToken68(header: string, schemeEnd: number): number {
  const start = skipBlanks(header, schemeEnd);
  if (start === schemeEnd) return skipSeparators(header, start);
  let end = start;
  while (isToken68(header.charCodeAt(end))) end++;
  while (header.charCodeAt(end) === equalsSign) end++;
  const after = skipBlanks(header, end);
  const isAlone = after === header.length || header.charCodeAt(after) === comma;
  return skipSeparators(header, isAlone ? after : start);
}

function skipBlanks(header: string, start: number): number {
  let at = start;
  while (header.charCodeAt(at) === 32 || header.charCodeAt(at) === 9) at++;
  return at;
}

function skipSeparators(header: string, start: number): number {
  let at = skipBlanks(header, start);
  while (header.charCodeAt(at) === comma) at = skipBlanks(header, at + 1);
  return at;
}

function tokenEnd(header: string, start: number): number {
  let end = start;
  while (isTokenCode(header.charCodeAt(end))) end++;
  return end;
}

function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** RFC 9110, 5.6.2. */
function isTokenCode(code: number): boolean {
  return isAlphanumeric(code) || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(code));
}

/** RFC 9110, 11.2, without its final "=". */
function isToken68(code: number): boolean {
  return isAlphanumeric(code) || "-._~+/".includes(String.fromCharCode(code));
}
