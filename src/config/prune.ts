import type { ConfigFile, RuleEntry } from "./file.ts";
import type { SchemaIssue } from "./issues.ts";
import { configSchema } from "./schema.ts";

/** What is left of a file when everything its schema refused is taken out, so that the rest can be checked too. */
export interface ValidParts {
  readonly config: ConfigFile;
  /** The rules that are left, with their places in the file. */
  readonly rules: readonly IndexedRule[];
  /** Keys of the top whose whole value had to go: what they say is not known, and nothing may be concluded from it. */
  readonly broken: ReadonlySet<string>;
}

/** A rule and its index in the file. */
export interface IndexedRule {
  readonly index: number;
  readonly entry: RuleEntry;
}

/** All of a configuration that nothing was refused in. */
export function allParts(config: ConfigFile): ValidParts {
  return { config, rules: config.rules.map((entry, index) => ({ index, entry })), broken: new Set() };
}

/** A refused upstream becomes `{}`, a refused rule goes, of anything else the whole key goes. `undefined`: nothing is left to check. */
export function validParts(value: unknown, issues: readonly SchemaIssue[]): ValidParts | undefined {
  if (!isMapping(value)) return undefined;
  const top: Record<string, unknown> = { ...value };
  const broken = new Set<string>();
  const refusedRules = new Set<unknown>();
  for (const { path, isKey } of issues) {
    const [key, inner] = path;
    if (key === "upstreams" && inner !== undefined) {
      top[key] = withMember(top[key], inner, isKey && path.length === 2 ? undefined : {});
    } else if (key === "redirect" && inner !== undefined) {
      top[key] = withMember(top[key], inner, undefined);
    } else if (key === "rules" && inner !== undefined) {
      refusedRules.add(inner);
    } else if (key !== undefined) {
      broken.add(String(key));
      delete top[key];
    }
  }
  return reparsed(top, { broken, refusedRules });
}

interface Refused {
  readonly broken: ReadonlySet<string>;
  readonly refusedRules: ReadonlySet<unknown>;
}

function reparsed(top: Record<string, unknown>, { broken, refusedRules }: Refused): ValidParts | undefined {
  const written: readonly unknown[] = Array.isArray(top["rules"]) ? top["rules"] : [];
  const indexes = [...written.keys()].filter((index) => !refusedRules.has(index));
  const result = configSchema.safeParse({ ...top, rules: indexes.map((index) => written[index]) });
  if (!result.success) return undefined;
  const rules = result.data.rules.map((entry, at) => ({ index: indexes[at] ?? at, entry }));
  return { config: result.data, rules, broken };
}

/** A copy of a mapping with one member replaced, or without it. */
function withMember(mapping: unknown, key: string | number, member: object | undefined): unknown {
  if (!isMapping(mapping)) return mapping;
  const others = Object.entries(mapping).filter(([name]) => name !== String(key));
  return Object.fromEntries(member === undefined ? others : [...others, [String(key), member]]);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
