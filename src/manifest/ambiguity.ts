/**
 * The keys that this program reads in manifests. Go's decoder, which clients use, also accepts them in any case and
 * lets the last one win, so another spelling of one of these would be read differently there.
 */
const knownKeys: ReadonlySet<string> = new Set(
  "schemaVersion mediaType artifactType config layers manifests subject digest size platform os architecture variant urls data".split(
    " ",
  ),
);
const knownFolded: ReadonlyMap<string, string> = new Map([...knownKeys].map((key) => [key.toLowerCase(), key]));

const depthMax = 32;

interface OpenObject {
  readonly keys: Set<string> | undefined;
  readonly free: boolean;
  lastKey: string;
}

/**
 * What makes a valid JSON text ambiguous between decoders, in words, or `undefined`: nesting past 32, a key twice in
 * one object, or a known key in another case. Maps of free keys (`annotations`) may differ in case. One pass.
 */
export function ambiguityOf(json: string): string | undefined {
  const open: OpenObject[] = [];
  let pending = "";
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case 34: {
        const end = stringEnd(json, i);
        pending = json.slice(i, end + 1);
        i = end;
        break;
      }
      case 58: {
        const reason = acceptKey(open.at(-1), JSON.parse(pending) as string);
        if (reason !== undefined) return reason;
        break;
      }
      case 123:
      case 91:
        if (open.length === depthMax) return `it is nested more than ${depthMax} deep`;
        open.push({
          keys: json.charCodeAt(i) === 123 ? new Set() : undefined,
          free: open.at(-1)?.lastKey === "annotations",
          lastKey: "",
        });
        break;
      case 125:
      case 93:
        open.pop();
        break;
      default:
    }
  }
  return undefined;
}

function acceptKey(object: OpenObject | undefined, key: string): string | undefined {
  if (object?.keys === undefined) return undefined;
  if (object.keys.has(key)) return `the key "${key}" stands twice in one object`;
  object.keys.add(key);
  object.lastKey = key;
  if (object.free) return undefined;
  const known = knownFolded.get(foldAsGo(key));
  return known === undefined || known === key ? undefined : `the key "${key}" is another spelling of "${known}"`;
}

/** Go folds two letters outside ASCII onto ASCII ones: the long s and the Kelvin sign. */
function foldAsGo(key: string): string {
  return key.replaceAll("\u017f", "s").replaceAll("\u212a", "k").toLowerCase();
}

function stringEnd(json: string, start: number): number {
  for (let i = start + 1; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === 92) i++;
    else if (code === 34) return i;
  }
  return json.length;
}
