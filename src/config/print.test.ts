import { expect, test } from "bun:test";
import type { Rule } from "../rules/rule.ts";
import { printSettings } from "./print.ts";
import type { Settings } from "./settings.ts";
import { settingsOf } from "./test-world.ts";

const everything = `
listen: "[::1]:5000"
tls: [{ cert: tls.crt, key: tls.key, clientCA: ca.crt }]
storage: data
clients: any
trustedProxies: [10.0.0.0/8, "::1"]
auth: { htpasswd: users }
wellKnown: true
upstreams:
  docker.io: { credentials: docker-config, public: true, budget: { requests: 100, per: 6h, concurrent: 4 } }
  quay.io: { credentials: { username: ann, passwordFile: password } }
  moved.example: { url: https://europe-west4-docker.pkg.dev, path: a/b }
  registry.internal:5000: { url: http://10.0.0.1, insecure: true, ca: internal.pem, redirectHosts: [minio], tokenHosts: [auth.internal] }
rules:
  - { id: named, match: { ns: quay.io, prefix: team }, serve: cache, freshFor: 90s, serveStaleFor: 36h, maxSize: 200GB }
  - { match: { host: moved.example }, serve: redirect }
  - { match: "*", serve: cache }
redirect:
  buckets:
    - { name: one, cloud: aws, region: us-east-1, url: https://one/images }
    - { name: two, cloud: gcp, region: [a, b], url: https://two, default: true, fill: ../filled }
    - { name: three, cloud: aws, url: https://three, fill: "s3://three/images?region=eu-west-1&profile=fill" }
    - name: four
      cloud: azure
      url: https://four
      fill: { bucket: four, endpoint: "https://10.0.0.4", ca: internal.pem, credentials: { accessKeyId: K, secretAccessKeyFile: s3-secret } }
  info: https://info.example
  privacy: https://privacy.example
  signatures: https://signatures.example
log: text
adminSocket: run.sock
workers: 1
`;

/** Settings without what a file's own place gives: lines, files, and that an upstream's URL was written out. */
function portable({ upstreams, table, ...others }: Settings): object {
  const rules = table.rules.map((rule: Rule) => ({ ...rule, origin: undefined }));
  const hosts = [...upstreams].map(([host, upstream]) => [host, { ...upstream, mayBePrivate: undefined }]);
  const buckets = others.redirect.buckets.map(({ fill, ...bucket }) => {
    const place = fill?.kind === "s3" ? { ...fill, bucket: { ...fill.bucket, mayBePrivate: undefined } } : fill;
    return { ...bucket, fill: place };
  });
  return { ...others, redirect: { ...others.redirect, buckets }, rules, hosts, files: undefined };
}

test.each([
  ["everything", { text: everything }],
  ["no file", {}],
])("%s, printed and loaded again, is the same", async (_, world) => {
  const settings = await settingsOf(world);
  const again = await settingsOf({ text: printSettings(settings) });
  expect(portable(again)).toEqual(portable(settings));
});

test("it names the files that were read, and shows no secret", async () => {
  const text = `
upstreams: { a.example: { proxy: "http://u:hunter2@proxy:3128", credentials: { username: ann, passwordFile: password }, public: true } }
rules: [{ match: "*", serve: cache }]`;
  const printed = printSettings(await settingsOf({ text }));
  expect(printed).toStartWith("# read: /etc/periplus/config.yaml\nlisten: 127.0.0.1:5000\n");
  expect(printed).toContain("proxy: http://***@proxy:3128\n");
  expect(printed).toContain("passwordFile: /etc/periplus/password\n");
  expect(printed).not.toMatch(/hunter2|secret/);
});
