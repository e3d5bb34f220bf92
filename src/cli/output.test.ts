import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { isTerminal } from "./output.ts";

const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at}\n`);

/** A process that writes all lines one by one, and says on stderr when nobody reads them. */
function writer(): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  const program = `
    import { outputTo } from ${JSON.stringify(join(import.meta.dir, "output.ts"))};
    const note = outputTo(Bun.stderr);
    const write = outputTo(Bun.stdout, () => note("unread\\n"));
    for (let at = 0; at < ${lines.length}; at++) write(\`line \${at}\\n\`);
  `;
  return Bun.spawn([process.execPath, "-e", program], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
}

test("all that is written comes, in its order, before the process ends", async () => {
  const { stdout, stderr, exited } = writer();
  expect(await Promise.all([new Response(stdout).text(), new Response(stderr).text(), exited])).toEqual([
    lines.join(""),
    "",
    0,
  ]);
});

test("who reads and leaves is told of once, and the process ends well", async () => {
  const { stdout, stderr, exited } = writer();
  await stdout.cancel();
  expect(await Promise.all([new Response(stderr).text(), exited])).toEqual(["unread\n", 0]);
});

test("what is no character device is no terminal, and its stream is not loaded; nor is what is closed", () => {
  const unwanted = (): never => {
    throw new Error("loaded");
  };
  const descriptor = openSync(import.meta.path, "r");
  expect(isTerminal(descriptor, unwanted)).toBeFalse();
  closeSync(descriptor);
  expect(isTerminal(descriptor, unwanted)).toBeFalse();
});

test("of a character device its stream says what it is", () => {
  const descriptor = openSync("/dev/null", "r");
  expect([true, false].map((isTTY) => isTerminal(descriptor, () => ({ isTTY })))).toEqual([true, false]);
  closeSync(descriptor);
});
