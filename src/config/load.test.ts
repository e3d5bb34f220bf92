import { expect, test } from "bun:test";
import type { RegistryHost } from "../reference/host.ts";
import { resolveName } from "../rules/resolve.ts";
import type { Settings, Upstream } from "./settings.ts";
import { inFolder } from "./storage.ts";
import { wellKnownRegistries } from "./well-known.ts";
import { authorityPem, load, settingsOf } from "./test-world.ts";

const redirector = `
# a public redirector, as registry.k8s.io
listen: 0.0.0.0:8080
trustedProxies: [10.0.0.0/8]       # X-Forwarded-For and Forwarded: believed only from these, read right to left
upstreams:
  registry.k8s.io: { url: https://us-central1-docker.pkg.dev, path: k8s-artifacts-prod/images, cloud: gcp, region: us-central1 }
rules:
  - { match: "*", upstream: registry.k8s.io, serve: redirect }
redirect:
  buckets:
    - { name: aws-use1, cloud: aws, region: us-east-1, url: "https://BUCKET/containers/images" }   # a blob at URL/sha256:HEX
    - { name: cdn, url: "https://CDN/containers/images", default: true }
  info: https://example.com/info
  privacy: https://example.com/privacy
  signatures: https://us-central1-docker.pkg.dev
`;

const teamCache = `
# a team's cache
listen: 0.0.0.0:5000
tls: [{ cert: tls.crt, key: tls.key, clientCA: ca.crt }]
storage: /var/lib/periplus
clients: [10.0.0.0/8]
auth: { htpasswd: users }
upstreams:
  registry.k8s.io: {}
  docker.io: { credentials: docker-config, public: true }
  registry.internal:5000: { ca: internal.pem, redirectHosts: [minio.internal] }
wellKnown: true
rules:
  - { match: k8s.gcr.io, upstream: registry.k8s.io, serve: cache }
  - { match: "*", serve: cache, freshFor: 24h, serveStaleFor: 7d, maxSize: 200GB }
`;

function upstream(settings: Settings, host: string): Upstream {
  const found = settings.upstreams.get(host as RegistryHost);
  if (found === undefined) throw new Error(`no upstream ${host}`);
  return found;
}

test("the redirector's file becomes settings", async () => {
  const settings = await settingsOf({ text: redirector });
  expect(settings).toMatchObject({
    listen: { hostname: "0.0.0.0", port: 8080 },
    tls: [],
    storage: undefined,
    trustedProxies: ["10.0.0.0/8"],
    auth: undefined,
    redirect: {
      buckets: [
        {
          name: "aws-use1",
          cloud: "aws",
          regions: ["us-east-1"],
          url: "https://bucket/containers/images",
          isDefault: false,
        },
        { name: "cdn", cloud: undefined, regions: [], url: "https://cdn/containers/images", isDefault: true },
      ],
      info: "https://example.com/info",
      privacy: "https://example.com/privacy",
      signatures: "https://us-central1-docker.pkg.dev",
      cloudRanges: undefined,
    },
    log: "json",
    adminSocket: undefined,
    workers: 1,
    files: ["/etc/periplus/config.yaml"],
  });
  expect([...settings.upstreams.keys()].join()).toBe("registry.k8s.io");
  expect(upstream(settings, "registry.k8s.io")).toMatchObject({
    url: "https://us-central1-docker.pkg.dev",
    path: "k8s-artifacts-prod/images",
    cloud: "gcp",
    region: "us-central1",
    credentials: { kind: "none" },
    mayBePrivate: true,
  });
  expect(settings.table.rules).toEqual([
    {
      id: "rules[0]",
      origin: { kind: "file", file: "../../etc/periplus/config.yaml", line: 8 },
      match: { kind: "rest" },
      upstream: "registry.k8s.io" as RegistryHost,
      serve: "redirect",
      freshForMs: 86_400_000,
      serveStaleForMs: 604_800_000,
      maxSizeBytes: undefined,
    },
  ]);
});

test("the team's file becomes settings", async () => {
  const settings = await settingsOf({ text: teamCache });
  expect(settings).toMatchObject({
    tls: [{ cert: "/etc/periplus/tls.crt", key: "/etc/periplus/tls.key", clientCa: "/etc/periplus/ca.crt" }],
    storage: inFolder("/var/lib/periplus"),
    clients: ["10.0.0.0/8"],
    auth: { htpasswd: "/etc/periplus/users" },
    adminSocket: "/var/lib/periplus/admin.sock",
  });
  expect(settings.files).toEqual([
    "/etc/periplus/config.yaml",
    "/etc/periplus/tls.crt",
    "/etc/periplus/tls.key",
    "/etc/periplus/ca.crt",
    "/etc/periplus/users",
    "/etc/periplus/internal.pem",
  ]);
  expect(upstream(settings, "docker.io")).toMatchObject({
    url: "https://registry-1.docker.io",
    credentials: { kind: "docker-config" },
    isPublic: true,
    tokenHosts: ["auth.docker.io"],
    mayBePrivate: false,
  });
  expect(upstream(settings, "registry.internal:5000")).toMatchObject({
    url: "https://registry.internal:5000",
    ca: authorityPem,
    redirectHosts: ["minio.internal"],
    isPublic: false,
    mayBePrivate: true,
  });
  expect(upstream(settings, "quay.io").mayBePrivate).toBe(false);
  expect(settings.table.rest).toMatchObject({
    freshForMs: 86_400_000,
    serveStaleForMs: 604_800_000,
    maxSizeBytes: 2e11,
  });
});

test("without a file it is a cache of the well-known registries, and of k8s.gcr.io from registry.k8s.io", async () => {
  const settings = await settingsOf({});
  expect(settings).toMatchObject({
    listen: { hostname: "127.0.0.1", port: 5000 },
    storage: inFolder("/home/ann/periplus-data"),
    adminSocket: "/home/ann/periplus-data/admin.sock",
    clients: ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"],
    files: [],
  });
  expect([...settings.upstreams.keys()]).toEqual([...wellKnownRegistries.keys()]);
  const registries = { table: settings.table, knows: (host: RegistryHost) => settings.upstreams.has(host) };
  const resolve = (name: string): string => {
    const found = resolveName(registries, { name, ns: undefined, host: undefined });
    return found.kind === "resolved" ? `${found.upstream}/${found.repository} ${found.rule.serve}` : found.code;
  };
  expect(["k8s.gcr.io/pause", "quay.io/a/b", "nginx", "other.example/x"].map(resolve)).toEqual([
    "registry.k8s.io/pause cache",
    "quay.io/a/b cache",
    "docker.io/library/nginx cache",
    "NAME_UNKNOWN",
  ]);
});

test("what the command line says stands above the file", async () => {
  const settings = await settingsOf({
    text: teamCache,
    overrides: {
      listen: "[::1]:0",
      storage: "data",
      log: "text",
      workers: "1",
      upstreams: ["docker.io=http://127.0.0.1:6000/", "new.example:5000=https://mirror.example"],
    },
  });
  expect(settings).toMatchObject({
    listen: { hostname: "::1", port: 0 },
    storage: inFolder("/home/ann/data"),
    log: "text",
  });
  expect(upstream(settings, "docker.io")).toMatchObject({
    url: "http://127.0.0.1:6000",
    credentials: { kind: "docker-config" },
    tokenHosts: [],
    mayBePrivate: true,
  });
  expect(upstream(settings, "new.example:5000")).toMatchObject({ url: "https://mirror.example", mayBePrivate: true });
});

test("the cloud is what the registry's place tells, unless the file says another", async () => {
  const settings = await settingsOf({
    text: `
upstreams:
  moved.example: { url: https://europe-west4-docker.pkg.dev }
  123456789012.dkr.ecr.eu-central-1.amazonaws.com: {}
  team.azurecr.io: { region: westeurope }
  gcr.io: { cloud: aws }
  quay.io: {}
rules: [{ match: "*", serve: redirect }]`,
  });
  const places = [...settings.upstreams.values()].map(({ cloud, region }) => `${cloud} ${region}`);
  expect(places).toEqual([
    "gcp europe-west4",
    "aws eu-central-1",
    "azure westeurope",
    "aws undefined",
    "undefined undefined",
  ]);
});

test("defaults of an upstream, a budget, hosts and a proxy", async () => {
  const text = `
upstreams:
  a.example: {}
  b.example: { budget: { requests: 100, per: 6h, concurrent: 4 }, tokenHosts: [Auth.Example:443], redirectHosts: ["[::1]:9000"] }
  c.example: { proxy: "http://u:p@proxy.example:3128", public: false, credentials: { username: ann, passwordFile: password } }
auth: { htpasswd: users }
rules: [{ match: "*", serve: cache }]`;
  const settings = await settingsOf({ text, env: { HTTPS_PROXY: "proxy.corp:3128", NO_PROXY: "b.example" } });
  expect(upstream(settings, "a.example")).toEqual({
    host: "a.example" as RegistryHost,
    url: "https://a.example",
    path: "",
    cloud: undefined,
    region: undefined,
    credentials: { kind: "none" },
    isPublic: false,
    ca: undefined,
    insecure: false,
    proxy: "http://proxy.corp:3128",
    budget: { requests: undefined, perMs: 21_600_000, concurrent: 128 },
    redirectHosts: [],
    tokenHosts: [],
    mayBePrivate: true,
  });
  expect(upstream(settings, "b.example")).toMatchObject({
    proxy: undefined,
    budget: { requests: 100, perMs: 21_600_000, concurrent: 4 },
    tokenHosts: ["auth.example"],
    redirectHosts: ["[::1]:9000"],
  });
  expect(upstream(settings, "c.example")).toMatchObject({
    proxy: "http://u:p@proxy.example:3128",
    isPublic: false,
    credentials: { kind: "password-file", username: "ann", passwordFile: "/etc/periplus/password" },
  });
  expect(settings.files).not.toContain("/etc/periplus/password");
});

test("every way to write a match", async () => {
  const settings = await settingsOf({
    text: `
upstreams: { quay.io: {}, a.example: {}, localhost:5000: {} }
rules:
  - { match: { ns: quay.io, prefix: team/sub }, serve: cache }
  - { match: { host: A.Example }, serve: cache, id: by-host }
  - { match: { prefix: localhost:5000 }, serve: cache }
  - { match: { prefix: localhost:5000/team }, upstream: a.example, serve: redirect }
  - { match: Quay.IO., serve: cache }`,
  });
  expect(settings.table.rules.map(({ id, match }) => [id, match])).toMatchObject([
    ["rules[0]", { kind: "parts", ns: "quay.io", prefix: "team/sub" }],
    ["by-host", { kind: "parts", host: "a.example" }],
    ["rules[2]", { kind: "parts", prefix: "localhost:5000" }],
    ["rules[3]", { kind: "parts", prefix: "localhost:5000/team" }],
    ["rules[4]", { kind: "name", name: "quay.io" }],
  ]);
});

test.each([
  ["rules: []", "rules: is empty: every name is answered with 404"],
  ["upstreams: { a.example: {} }\nrules: []", "upstreams.a.example: is named by no rule"],
  [
    "clients: any\nlisten: 0.0.0.0:5000\nwellKnown: true\nrules: [{ match: '*', serve: cache }]",
    "clients: any, without auth: everybody who reaches this server may fill its cache",
  ],
  [
    "upstreams: { a.example: { url: http://a.example, insecure: true, credentials: docker-config, public: true } }\nrules: [{ match: '*', serve: cache }]",
    "upstreams.a.example.url: the credentials of a.example go over the network in the clear",
  ],
  [
    "rules: []\nredirect: { buckets: [{ name: b, url: https://b }] }",
    "redirect.buckets[0]: is never chosen: it has no cloud and is not the default",
  ],
  [
    "rules: []\nredirect: { buckets: [{ name: b, url: https://b, default: true }] }",
    "redirect.buckets: are used by no rule",
  ],
  [`rules: []\nstorage: /${"long/".repeat(30)}`, "adminSocket: /long/"],
])("%s loads with a warning", async (text, warning) => {
  const loaded = await load({ text });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.warnings.map(({ path, message }) => `${path}: ${message}`).join("\n")).toContain(warning);
});
