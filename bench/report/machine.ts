import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { GO_PROGRAMS } from "../../test/real/versions.ts";

/** On what and against what the figures were taken. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Reads the machine's description; `date` is the day of the run, as it will stand in the report. */
export function describeMachine(date: string): Machine {
  return {
    date,
    processor: `${processorName()}, ${cpus().length} cores`,
    kernel: `Linux ${release()}`,
    versions: { Bun: Bun.version, distribution: distributionVersion(), nginx: nginxVersion() },
  };
}

function processorName(): string {
  return /^model name\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown processor";
}

function distributionVersion(): string {
  return GO_PROGRAMS.find((program) => program.name === "distribution")?.version ?? "unknown";
}

function nginxVersion(): string {
  const path = Bun.which("nginx", { PATH: `${Bun.env["PATH"] ?? ""}:/usr/sbin` });
  if (path === null) return "missing";
  return Bun.spawnSync([path, "-v"]).stderr.toString().split("/")[1]?.trim() ?? "unknown";
}
