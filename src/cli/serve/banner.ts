import { formatSize } from "../../config/size.ts";
import type { Settings, StorageSettings } from "../../config/settings.ts";
import { addressOf } from "../../s3/address.ts";
import { describeMatch, type Rule } from "../../rules/rule.ts";

const rulesShown = 12;
/** Whose image the commands to try pull. */
const kubernetes = "registry.k8s.io";

/** What a server says when it starts: where it is, what it does with which names, and what to try. */
export function banner(version: string, url: string, settings: Settings): string {
  const rules = settings.table.rules.slice(0, rulesShown).map((rule) => {
    const upstream = rule.upstream === undefined ? "" : ` from ${rule.upstream}`;
    const limit = rule.maxSizeBytes === undefined ? "" : `, at most ${formatSize(rule.maxSizeBytes)}`;
    return `  ${describeMatch(rule.match)}: ${rule.serve}${upstream}${limit}`;
  });
  const more = settings.table.rules.length - rules.length;
  return [
    `periplus ${version} listens on ${url}`,
    ...(settings.storage === undefined ? [] : storageLines(settings.storage)),
    "rules:",
    ...rules,
    ...(more > 0 ? [`  and ${more} more (periplus config print shows all)`] : []),
    ...tries(url, settings),
    "",
  ].join("\n");
}

/** Where things are kept, and what would be lost with which of it. */
function storageLines({ folder, blobs, scratch }: StorageSettings): readonly string[] {
  if (blobs.kind === "s3") {
    return [
      `storage: blobs in ${addressOf(blobs.bucket).name}, index in ${folder}, what is on its way in ${scratch}`,
      `  the index is on this machine's disk: with it go all names, tags and manifests, and uploads that are not done`,
    ];
  }
  if (blobs.folder === folder && scratch === folder) return [`storage: ${folder}`];
  return [`storage: blobs in ${blobs.folder}, index in ${folder}, what is on its way in ${scratch}`];
}

/** An image that can be named here: `repository` as it stands behind our own address. */
interface Example {
  readonly repository: string;
  readonly tag: string;
}

/** pause of registry.k8s.io where that is served, else the place of an image; `undefined` when nothing can be named in a path. */
function exampleOf({ table, upstreams }: Settings): Example | undefined {
  const { rest } = table;
  if (rest?.serve === "store") return undefined;
  const pulled = table.rules.filter(({ serve }) => serve !== "store");
  const hosts = rest === undefined ? pulled.flatMap(namedBy) : [...upstreams.keys()];
  const known = rest?.upstream ?? (hosts.includes(kubernetes) ? kubernetes : hosts[0]);
  if (known === undefined) return undefined;
  const prefix = rest?.upstream === undefined ? `${known}/` : "";
  return known === kubernetes
    ? { repository: `${prefix}pause`, tag: "3.9" }
    : { repository: `${prefix}REPOSITORY`, tag: "TAG" };
}

function namedBy({ match }: Rule): readonly string[] {
  return match.kind === "name" ? [match.name] : [];
}

/** The first name that an image can be pushed to; `undefined` when nothing can be. */
function placeToPush({ table }: Settings): string | undefined {
  const { match } = table.rules.find(({ serve }) => serve === "store") ?? {};
  if (match?.kind === "rest") return "team/pause";
  const prefix = match?.kind === "name" ? match.name : match?.prefix;
  return prefix && `${prefix}/pause`;
}

function tries(url: string, settings: Settings): readonly string[] {
  const example = exampleOf(settings);
  const host = new URL(url).host.replace("127.0.0.1", "localhost").replace("0.0.0.0", "localhost");
  const isTls = url.startsWith("https");
  if (example === undefined) {
    const place = placeToPush(settings);
    if (place === undefined) return [];
    return [
      "try:",
      `  skopeo copy --dest-tls-verify=${isTls} docker://${kubernetes}/pause:3.9 docker://${host}/${place}:3.9`,
      `  crane manifest ${host}/${place}:3.9`,
      `  curl -s ${url}/v2/${place}/tags/list`,
    ];
  }
  const name = `${host}/${example.repository}:${example.tag}`;
  const layout = `${example.repository.split("/").at(-1)}:${example.tag}`;
  return [
    "try:",
    `  crane manifest ${name}`,
    `  skopeo copy --src-tls-verify=${isTls} docker://${name} oci:${layout}`,
    `  curl -s ${url}/v2/${example.repository}/tags/list`,
  ];
}
