import { readFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { compiledCloudRanges } from "../net/cloud-snapshot.ts";
import { parseEndpoint } from "../reference/endpoint.ts";
import { createManualClock } from "../registry/testing/manual-clock.ts";
import { decide } from "../rules/decide.ts";
import { ProbedExistence } from "./existence.ts";
import { frontPage } from "./front-page.ts";
import { createSteer } from "./steer.ts";
import { readSections, type Section } from "./testing/markdown.ts";
import { createScriptedProbe, settled } from "./testing/scripted-probe.ts";

/** The page that this test runs: see its head. */
const page = new URL("../../docs/request-handling.md", import.meta.url);
const places = compiledCloudRanges();

interface Row {
  readonly client: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly location: string;
}

interface Answer {
  readonly status: number;
  readonly location: string;
}

/** One section of the page, its names written out. */
interface Fixture {
  readonly heading: string;
  readonly yaml: string;
  /** What a HEAD of a URL answers; `none` is no answer. */
  readonly answers: ReadonlyMap<string, string>;
  readonly rows: readonly Row[];
}

function readFixture(section: Section): Fixture {
  const rowsWith = (column: string): readonly Readonly<Record<string, string>>[] =>
    section.tables.filter(({ columns }) => columns.includes(column)).flatMap(({ rows }) => rows);
  const names = new Map(rowsWith("stands for").map((row) => [row["name"] ?? "", row["stands for"] ?? ""]));
  const written = (text: string | undefined): string =>
    (text ?? "").replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const meant = names.get(name);
      if (meant === undefined) throw new Error(`${section.heading}: {${name}} stands for nothing`);
      return meant;
    });
  return {
    heading: section.heading,
    yaml: section.yaml[0] ?? "",
    answers: new Map(rowsWith("URL").map((row) => [written(row["URL"]), row["answer"] ?? ""])),
    rows: rowsWith("client").map((row) => ({
      client: row["client"] ?? "",
      method: row["method"] ?? "",
      path: written(row["path"]),
      status: Number(row["status"]),
      location: written(row["location"]),
    })),
  };
}

async function settingsOf({ heading, yaml }: Fixture): Promise<Settings> {
  const readFile = (): Promise<string> => Promise.reject(new Error("no other file is read"));
  const loaded = await loadSettings({ file: `${heading}.yaml`, text: yaml, env: {}, cwd: "/", readFile });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings;
}

/** Answers as the server does, for a process that has just started. */
async function answer(settings: Settings, fixture: Fixture, { client, method, path: target }: Row): Promise<Answer> {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  const front = frontPage(settings.redirect, path);
  if (front !== undefined) return { status: 307, location: front };
  const decision = decide(
    { table: settings.table, knows: (host) => settings.upstreams.has(host) },
    { method, endpoint: parseEndpoint(path), ns: new URLSearchParams(query).get("ns") ?? undefined, host: undefined },
  );
  switch (decision.kind) {
    case "catalog":
    case "store":
      throw new Error("no row is about our own repositories");
    case "base":
      return { status: 200, location: "" };
    case "refuse":
      return { status: decision.status, location: "" };
    case "cache":
      throw new Error("this page is about redirects");
    case "redirect":
      return { status: 307, location: await locate(settings, fixture, { decision, query, client }) };
  }
}

interface Asked {
  readonly decision: Parameters<ReturnType<typeof createSteer>["locate"]>[0];
  readonly query: string;
  readonly client: string;
}

async function locate(settings: Settings, { answers }: Fixture, { decision, query, client }: Asked): Promise<string> {
  const clock = createManualClock();
  const silent = createScriptedProbe();
  const existence = new ProbedExistence({
    probe: (holder, url, signal) => {
      const status = answers.get(url) ?? "404";
      return status === "none" ? silent.probe(holder, url, signal) : Promise.resolve(Number(status));
    },
    clock,
    random: () => 0,
    events: { probed: () => undefined, skipped: () => undefined, breaker: () => undefined },
  });
  const located = createSteer({ settings, places, existence, clock }).locate(decision, query, client);
  await settled();
  clock.advance(500);
  return (await located).location;
}

const fixtures = readSections(readFileSync(page, "utf8"))
  .map(readFixture)
  .filter(({ rows }) => rows.length > 0);

test("the page is read whole", () => {
  const sizes = fixtures.map(({ rows, answers }) => [rows.length, answers.size]);
  expect(sizes.reduce((sum, [rows = 0]) => sum + rows, 0)).toBeGreaterThan(90);
  expect(sizes.reduce((sum, [, answers = 0]) => sum + answers, 0)).toBeGreaterThan(20);
  expect(fixtures.flatMap(({ rows }) => rows).every(({ status }) => status >= 200 && status < 500)).toBeTrue();
});

for (const fixture of fixtures) {
  test.each(fixture.rows.map((row) => [row.client, row.method, row.path, row] as const))(
    `${fixture.heading}: %s %s %s`,
    async (_client, _method, _path, row) => {
      const { status, location } = row;
      expect(await answer(await settingsOf(fixture), fixture, row)).toEqual({ status, location });
    },
  );
}

test("every URL whose answer is given is asked by some row", () => {
  for (const { answers, rows } of fixtures) {
    const named = rows.map(({ path }) => path).join("\n");
    const unused = [...answers.keys()].filter((url) => !named.includes(url.slice(url.lastIndexOf("/") + 1)));
    expect(unused).toEqual([]);
  }
});
