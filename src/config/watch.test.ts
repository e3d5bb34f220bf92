import { afterAll, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileWatch, systemWatch, watchFiles, type WatchOptions } from "./watch.ts";

const root = mkdtempSync(join(tmpdir(), "periplus-watch-"));
afterAll(() => rmSync(root, { recursive: true }));

function folder(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

interface Watched {
  readonly watch: FileWatch;
  readonly changed: () => Promise<void>;
}

/** A watch by the system's own means whose changes can be waited for, 10 s at most. */
function watched(paths: readonly string[]): Watched {
  let next = Promise.withResolvers<void>();
  const watch = watchFiles(paths, { ...systemWatch, settleMs: 5, onChange: () => next.resolve() });
  const changed = async (): Promise<void> => {
    const { promise, reject } = next;
    const deadline = setTimeout(() => reject(new Error("no change was seen")), 10_000);
    await promise.finally(() => clearTimeout(deadline));
    next = Promise.withResolvers();
  };
  return { watch, changed };
}

test("a file that is written, replaced, removed and put back is seen each time", async () => {
  const file = join(folder("plain"), "config.yaml");
  writeFileSync(file, "1");
  const { watch, changed } = watched([file]);
  writeFileSync(file, "22");
  await changed();
  writeFileSync(`${file}.new`, "33");
  renameSync(`${file}.new`, file);
  await changed();
  unlinkSync(file);
  await changed();
  writeFileSync(file, "4");
  await changed();
  watch.close();
});

test("Kubernetes' swap of ..data is seen, again and again", async () => {
  const mount = folder("mount");
  const file = join(mount, "config.yaml");
  const publish = (version: string): void => {
    mkdirSync(join(mount, version));
    writeFileSync(join(mount, version, "config.yaml"), "same length");
    symlinkSync(version, join(mount, "..data_tmp"));
    renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
  };
  publish("..1");
  symlinkSync(join("..data", "config.yaml"), file);
  const { watch, changed } = watched([file]);
  for (const version of ["..2", "..3"]) {
    publish(version);
    await changed();
  }
  watch.close();
});

test("a file behind a link to another folder is seen, and after that folder is replaced", async () => {
  const target = folder("target");
  writeFileSync(join(target, "tls.crt"), "1");
  const link = join(folder("names"), "tls.crt");
  symlinkSync(join(target, "tls.crt"), link);
  const { watch, changed } = watched([link]);
  writeFileSync(join(target, "tls.crt"), "22");
  await changed();
  renameSync(target, `${target}.old`);
  mkdirSync(target);
  writeFileSync(join(target, "tls.crt"), "333");
  writeFileSync(join(root, "names", "nudge"), "");
  await changed();
  writeFileSync(join(target, "tls.crt"), "4444");
  await changed();
  watch.close();
});

/** A watch whose time and events the test makes. */
function scripted(paths: readonly string[], changes: Partial<WatchOptions> = {}) {
  const planned = new Map<number, () => void>();
  const events: (() => void)[] = [];
  let told = 0;
  const watch = watchFiles(paths, {
    onChange: () => (told += 1),
    settleMs: 1,
    pollMs: 1000,
    schedule(delayMs, action) {
      planned.set(delayMs, action);
      return () => planned.delete(delayMs);
    },
    watchFolder(_, onEvent) {
      events.push(onEvent);
      return { close: () => void events.splice(events.indexOf(onEvent), 1) };
    },
    ...changes,
  });
  const pass = (delayMs: number): void => {
    const action = planned.get(delayMs);
    planned.delete(delayMs);
    action?.();
  };
  return { watch, planned, events, pass, told: () => told };
}

test("a change counts when the file has stayed the same for a while, and once", () => {
  const file = join(folder("settle"), "a");
  writeFileSync(file, "1");
  const { watch, events, pass, told, planned } = scripted([file]);
  const event = (): void => events.forEach((tell) => tell());
  event();
  pass(1);
  expect([told(), planned.has(1)]).toEqual([0, false]);
  writeFileSync(file, "22");
  event();
  event();
  pass(1);
  writeFileSync(file, "333");
  pass(1);
  expect(told()).toBe(0);
  pass(1);
  expect([told(), planned.has(1)]).toEqual([1, false]);
  utimesSync(file, 1, 1);
  event();
  pass(1);
  pass(1);
  expect(told()).toBe(2);
  watch.close();
});

test("without events the poll sees it, also where nothing can be watched", () => {
  const file = join(folder("poll"), "a");
  const { watch, pass, told } = scripted([file], {
    watchFolder: () => {
      throw new Error("ENOSPC");
    },
  });
  pass(1000);
  writeFileSync(file, "now there");
  pass(1000);
  expect(told()).toBe(0);
  pass(1);
  expect(told()).toBe(1);
  pass(1000);
  expect(told()).toBe(1);
  watch.close();
});

test("a closed watch has no plans and watches nothing", () => {
  const file = join(folder("close"), "a");
  const { watch, events, planned } = scripted([file]);
  events.forEach((tell) => tell());
  expect([planned.size, events.length]).toEqual([2, 1]);
  watch.close();
  expect([planned.size, events.length]).toEqual([0, 0]);
});
