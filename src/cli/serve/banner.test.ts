import { expect, test } from "bun:test";
import { settingsOf } from "../../config/test-world.ts";
import { banner } from "./banner.ts";

const bare =
  "rules: [{ match: '*', upstream: registry.k8s.io, serve: redirect }]\nupstreams: { registry.k8s.io: {} }\n";
const internal = "rules: [{ match: '*', serve: cache }]\nupstreams: { registry.internal: {} }\n";
const named = "rules: [{ match: team.internal, serve: cache }]\nupstreams: { team.internal: {} }\n";
const byHost = "rules: [{ match: { host: team.internal }, serve: cache }]\nupstreams: { team.internal: {} }\n";

test.each([
  ["the well-known registries", undefined, "registry.k8s.io/pause", "3.9"],
  ["registry.k8s.io under bare names", bare, "pause", "3.9"],
  ["an upstream whose images nobody knows", internal, "registry.internal/REPOSITORY", "TAG"],
  ["one name", named, "team.internal/REPOSITORY", "TAG"],
])("the commands to try name what is served: %s", async (_, text, repository, tag) => {
  const settings = await settingsOf(text === undefined ? {} : { text });
  const layout = `${repository.split("/").at(-1)}:${tag}`;
  const lines = banner("1.2.3", "http://127.0.0.1:5000", settings).split("\n");
  expect(lines[0]).toBe("periplus 1.2.3 listens on http://127.0.0.1:5000");
  expect(lines.slice(lines.indexOf("try:") + 1)).toEqual([
    `  crane manifest localhost:5000/${repository}:${tag}`,
    `  skopeo copy --src-tls-verify=false docker://localhost:5000/${repository}:${tag} oci:${layout}`,
    `  curl -s http://127.0.0.1:5000/v2/${repository}/tags/list`,
    "",
  ]);
});

test.each([
  ["every name", "rules: [{ match: '*', serve: store }]\nupstreams: { registry.k8s.io: {} }\n", "team/pause"],
  ["a prefix", "rules: [{ match: { prefix: a/b }, serve: store }]\n", "a/b/pause"],
  ["a name", "rules: [{ match: team, serve: store }]\n", "team/pause"],
])("where images are only stored, one is pushed: %s", async (_, text, repository) => {
  const lines = banner("1.2.3", "http://127.0.0.1:5000", await settingsOf({ text })).split("\n");
  expect(lines.slice(lines.indexOf("try:") + 1)).toEqual([
    `  skopeo copy --dest-tls-verify=false docker://registry.k8s.io/pause:3.9 docker://localhost:5000/${repository}:3.9`,
    `  crane manifest localhost:5000/${repository}:3.9`,
    `  curl -s http://127.0.0.1:5000/v2/${repository}/tags/list`,
    "",
  ]);
});

test("where no path names anything, there is nothing to try", async () => {
  const printed = banner("1.2.3", "http://127.0.0.1:5000", await settingsOf({ text: byHost }));
  expect(printed).toContain("host team.internal: cache");
  expect(printed).not.toContain("try:");
});
