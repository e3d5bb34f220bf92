import { afterAll, beforeAll, expect, test } from "bun:test";
import { namedUpstream, roomy } from "../../config/named-upstream.ts";
import { issueCertificate } from "../../net/test-certificate.ts";
import { parseHost, type RegistryHost } from "../../reference/host.ts";
import { urlOf } from "./reach.ts";

let plain: ReturnType<typeof Bun.serve>;
let secure: ReturnType<typeof Bun.serve>;

beforeAll(() => {
  const fetch = (): Response => new Response("{}");
  plain = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  secure = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch, tls: issueCertificate({ commonName: "localhost" }) });
});
afterAll(() => Promise.all([plain.stop(true), secure.stop(true)]));

const host = (text: string): RegistryHost => parseHost(text)!;

test("on this machine it is found out what a registry speaks", async () => {
  expect(await urlOf(host(`127.0.0.1:${plain.port}`), false, { fetch })).toBe(`http://127.0.0.1:${plain.port}`);
  expect(await urlOf(host(`127.0.0.1:${secure.port}`), false, { fetch })).toBe(`https://127.0.0.1:${secure.port}`);
});

test.each([
  ["registry.example", false, "https://registry.example", 0],
  ["docker.io", false, "https://registry-1.docker.io", 0],
  ["registry.example", true, "http://registry.example", 1],
])("%s, insecure %p: %s", async (name, isInsecure, url, questions) => {
  const asked: string[] = [];
  const silent = (question: string): Promise<Response> => {
    asked.push(question);
    return Promise.reject(new Error("no TLS there"));
  };
  expect(await urlOf(host(name), isInsecure, { fetch: silent })).toBe(url);
  expect(asked).toHaveLength(questions);
});

test("a registry that a person named may be private and takes docker's logins; one of a file has room for a copy", () => {
  const named = namedUpstream(host("docker.io"), { url: undefined, isInsecure: false, env: {} });
  expect(named).toMatchObject({
    url: "https://registry-1.docker.io",
    credentials: { kind: "docker-config" },
    tokenHosts: ["auth.docker.io"],
    mayBePrivate: true,
    insecure: false,
  });
  const tight = { ...named, budget: { requests: 7, perMs: 1000, concurrent: 1 } };
  expect(roomy(tight).budget).toEqual({ requests: 7, perMs: 1000, concurrent: 16 });
});
