import type { Path } from "../../config/problem.ts";
import type { Reading } from "../reading.ts";

/** Puts in what `$NAME` and `${NAME}` stand for; `undefined` when one is not set, which is then among the findings. */
export function expandVariables({ env, findings }: Reading, text: string, path: Path): string | undefined {
  const unset: string[] = [];
  const expanded = text.replaceAll(/\$(?:\{(\w+)\}|([A-Za-z_]\w*))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    const value = env[name];
    if (value === undefined) unset.push(name);
    return value ?? "";
  });
  for (const name of unset) findings.problem(path, `uses the variable ${name}, which is not set`);
  return unset.length > 0 ? undefined : expanded;
}
