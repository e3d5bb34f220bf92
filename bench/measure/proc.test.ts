import { expect, test } from "bun:test";
import { coreBusyS, processTree, statCpuS, statusBytes, treeCpuS } from "./proc.ts";

test("CPU seconds of a stat line, whatever the name of the program holds", () => {
  const line = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 30 20 20 0 9 0 100 0 0";
  expect(statCpuS(line)).toBe(2.5);
});

test("resident bytes, and none where there is no such line", () => {
  const status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
  expect(statusBytes(status, "VmRSS")).toBe(1024 * 1024);
  expect(statusBytes("Name:\tzombie\n", "VmRSS")).toBe(0);
});

test("a core is busy with everything but idleness and waiting for the disk", () => {
  const stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 10 50 9999 888 5 15 20 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n";
  expect(coreBusyS(stat, 0)).toBe(2);
});

test("a child belongs to the tree and its time to the tree's", async () => {
  const child = Bun.spawn(["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read line"], {
    stdin: "pipe",
    stdout: "ignore",
  });
  expect(processTree(process.pid)).toContain(child.pid);
  expect(treeCpuS(process.pid)).toBeGreaterThanOrEqual(treeCpuS(child.pid));
  await child.stdin.end();
  await child.exited;
  expect(processTree(process.pid)).not.toContain(child.pid);
  expect(treeCpuS(child.pid)).toBe(0);
});
