import { formatSize } from "../../config/size.ts";
import type { Settings } from "../../config/settings.ts";
import { describeMatch } from "../../rules/rule.ts";

const rulesShown = 12;

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
    ...(settings.storage === undefined ? [] : [`storage: ${settings.storage}`]),
    "rules:",
    ...rules,
    ...(more > 0 ? [`  and ${more} more (periplus config print shows all)`] : []),
    "try:",
    ...tries(url, settings),
    "",
  ].join("\n");
}

function tries(url: string, settings: Settings): readonly string[] {
  const host = new URL(url).host.replace("127.0.0.1", "localhost").replace("0.0.0.0", "localhost");
  const isBare = settings.table.rest?.upstream !== undefined;
  const name = `${host}/${isBare ? "" : "registry.k8s.io/"}pause:3.9`;
  return [
    `  crane manifest ${name}`,
    `  skopeo copy --src-tls-verify=${url.startsWith("https")} docker://${name} oci:pause:3.9`,
    `  curl -s ${url}/v2/${isBare ? "" : "registry.k8s.io/"}pause/tags/list`,
  ];
}
