import type { RegistryHost } from "../../reference/host.ts";
import type { Reading } from "../reading.ts";
import { parseTarget, type TargetPattern } from "../target.ts";

/** Where the repositories of a registry go by the command line; `undefined` when that cannot be, which is then among the findings. */
export function skopeoTarget({ findings, destination }: Reading, source: RegistryHost): TargetPattern | undefined {
  const { dest, scoped, flatten, appendSuffix = "" } = destination;
  if (dest === undefined) {
    findings.problem(["--dest"], "is missing: the file does not say where images go");
    return undefined;
  }
  if (scoped === true && flatten === true) findings.problem(["--flatten"], "and --scoped exclude each other");
  const base = dest.replace(/\/+$/, "");
  const path = scoped === true ? `${base}/${source}/**` : `${base}/**`;
  const tag = appendSuffix === "" ? "" : `:{tag}${appendSuffix}`;
  const target = parseTarget(`${path}${tag}`, flatten === true ? "last-segment" : "whole");
  if (!("reason" in target)) return target;
  findings.problem(["--dest"], target.reason);
  return undefined;
}
