import { expect, test } from "bun:test";
import { configCommand } from "./config.ts";
import { exitOnUsage } from "./usage.ts";

const files: Readonly<Record<string, string>> = {
  "/etc/periplus/good.yaml": `upstreams: { quay.io: {} }\nrules: [{ match: "*", serve: cache }]\n`,
  "/etc/periplus/doubtful.yaml": "rules: []\n",
  "/etc/periplus/bad.yaml": "listen: 5000\nrulez: []\n",
};

interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `periplus config ARGS` in the folder /etc/periplus. */
async function run(...args: readonly string[]): Promise<Run> {
  const written = { status: 0, stdout: "", stderr: "" };
  const command = configCommand({
    stdout: (text) => void (written.stdout += text),
    stderr: (text) => void (written.stderr += text),
    setStatus: (status) => void (written.status = status),
    env: {},
    cwd: "/etc/periplus",
    readFile: (path) => {
      const text = files[path];
      return text === undefined
        ? Promise.reject(Object.assign(new Error(path), { code: "ENOENT" }))
        : Promise.resolve(text);
    },
  });
  const exit = (status: number): never => {
    written.status = status;
    throw new Error("exit");
  };
  await exitOnUsage(command, exit)
    .parseAsync(args, { from: "user" })
    .catch((error: unknown) => {
      if (!(error instanceof Error && error.message === "exit")) throw error;
    });
  return written;
}

test("check says that a file is valid, and warns", async () => {
  expect(await run("check", "--config", "good.yaml")).toEqual({
    status: 0,
    stdout: "good.yaml is valid; rules: 1, upstreams: 1\n",
    stderr: "",
  });
  expect(await run("check", "--config", "doubtful.yaml")).toMatchObject({
    status: 0,
    stderr: "warning: doubtful.yaml:1:8: rules: is empty: every name is answered with 404\n",
  });
});

test.each(["check", "print"])("%s takes the file alone as well, and not twice", async (name) => {
  expect(await run(name, "good.yaml")).toEqual(await run(name, "--config", "good.yaml"));
  expect(await run(name, "good.yaml", "--config", "bad.yaml")).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining("named twice"),
  });
});

test("check says every problem with its place on stderr, and nothing on stdout", async () => {
  const { status, stdout, stderr } = await run("check", "--config", "bad.yaml");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr.split("\n")).toEqual([
    'bad.yaml:1:1: rules: is missing; a cache of everything is [{ match: "*", serve: cache }]',
    "bad.yaml:1:9: listen: must be HOST:PORT such as 127.0.0.1:5000, 0.0.0.0:8080 or [::]:8080",
    'bad.yaml:2:1: rulez: is no known key; is "rules" meant?',
    "",
  ]);
  expect(await run("check", "--config", "absent.yaml")).toEqual({
    status: 1,
    stdout: "",
    stderr: "absent.yaml: cannot be read: there is no such file\n",
  });
});

test("print shows what is in force, with a file and without", async () => {
  const { status, stdout } = await run("print", "--config", "good.yaml");
  expect(status).toBe(0);
  expect(stdout).toStartWith(
    "# read: /etc/periplus/good.yaml\nlisten: 127.0.0.1:5000\nstorage: /etc/periplus/periplus-data\n",
  );
  expect(stdout).toContain("freshFor: 1d\n");
  expect((await run("print")).stdout).toContain("match: k8s.gcr.io\n");
  expect(await run("print", "--config", "bad.yaml")).toMatchObject({ status: 1, stdout: "" });
});

test("schema is a JSON Schema that refuses unknown keys", async () => {
  const { status, stdout } = await run("schema");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Periplus configuration",
    type: "object",
    additionalProperties: false,
    required: ["rules"],
    properties: { rules: { items: { required: ["match", "serve"], additionalProperties: false } } },
  });
});

test("what is typed wrongly ends with 2, help with 0", async () => {
  expect(await run("chekc")).toMatchObject({ status: 2, stdout: "" });
  expect(await run("check", "--confg", "x")).toMatchObject({ status: 2, stderr: expect.stringContaining("--config") });
  expect(await run("check", "--config")).toMatchObject({ status: 2 });
  expect(await run("--help")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("periplus config check periplus.yaml"),
  });
});
