import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;
const BYTES_PER_KIB = 1024;

/** CPU seconds of `/proc/PID/stat`: user and system of all threads, and of children that were waited for. */
export function statCpuS(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_PER_SECOND;
}

/** Bytes of one line (`VmRSS`, `VmHWM`) of `/proc/PID/status`; 0 where the line is absent, as for a zombie. */
export function statusBytes(status: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(status);
  return match?.[1] === undefined ? 0 : Number(match[1]) * BYTES_PER_KIB;
}

/** Busy seconds of one core out of `/proc/stat`, whoever used it; idle and waiting for the disk left out. */
export function coreBusyS(stat: string, core: number): number {
  const line = stat.split("\n").find((candidate) => candidate.startsWith(`cpu${core} `)) ?? "";
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number);
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, part) => sum + (part ?? 0), 0);
  return ticks / TICKS_PER_SECOND;
}

/** A process and its living descendants, as `/proc` shows them now. */
export function processTree(pid: number): readonly number[] {
  const children = readOr(() =>
    readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    ),
  );
  return [pid, ...children.flatMap((child) => processTree(child))];
}

/** CPU seconds spent so far by a process and its descendants. */
export function treeCpuS(pid: number): number {
  return sumOver(pid, (member) => statCpuS(readFileSync(`/proc/${member}/stat`, "utf8")));
}

/** Memory in bytes of a process and its descendants: resident now, or the most since the peak was last reset. */
export function treeMemoryBytes(pid: number, key: "VmRSS" | "VmHWM"): number {
  return sumOver(pid, (member) => statusBytes(readFileSync(`/proc/${member}/status`, "utf8"), key));
}

/** Busy seconds of a core since boot. */
export function coreCpuS(core: number): number {
  return coreBusyS(readFileSync("/proc/stat", "utf8"), core);
}

function sumOver(pid: number, read: (member: number) => number): number {
  return processTree(pid).reduce((sum, member) => sum + readOr(() => [read(member)]).reduce((a, b) => a + b, 0), 0);
}

/** A process may end between two reads: it then counts for nothing. */
function readOr(read: () => readonly number[]): readonly number[] {
  try {
    return read();
  } catch {
    return [];
  }
}
