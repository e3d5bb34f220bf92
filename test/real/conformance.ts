import type { Endpoint } from "./endpoint.ts";
import { run, temporaryFolder } from "./process.ts";
import { binary } from "./versions.ts";

export interface ConformanceOptions {
  readonly endpoint: Endpoint;
  readonly repository: string;
  readonly tags: readonly string[];
  readonly manifests: readonly string[];
  readonly blobs: readonly string[];
  /** Subjects to ask the referrers API about; absent where the registry has none. */
  readonly referrersOf?: readonly string[];
}

/** One named test of the suite and what it came to: `Pass`, `FAIL`, `Skip`, `Disabled`, `Error` or `Unknown`. */
interface ConformanceTest {
  readonly name: string;
  readonly status: string;
}

export interface ConformanceReport {
  /** Tests without subtests, in the suite's order. */
  readonly tests: readonly ConformanceTest[];
  /** `Blob get` to its status, as in the suite's summary. */
  readonly apis: ReadonlyMap<string, string>;
  readonly output: string;
}

/**
 * Runs the OCI conformance suite in its read-only profile against content that is there already. The printed report is
 * what is read: the suite exits 0 when it could not run at all, and its result files are incomplete after a failure.
 */
export function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  return runSuite(options.endpoint, readOnly(options));
}

/** Runs the OCI conformance suite with all that it has for a version: pushes, deletions, referrers, both algorithms. */
export function runWholeConformance(options: {
  readonly endpoint: Endpoint;
  readonly version: "1.1" | "dev";
}): Promise<ConformanceReport> {
  const repositories = { OCI_REPO1: "conformance/one", OCI_REPO2: "conformance/two" };
  return runSuite(options.endpoint, { ...repositories, OCI_VERSION: options.version });
}

async function runSuite(endpoint: Endpoint, profile: Readonly<Record<string, string>>): Promise<ConformanceReport> {
  await using folder = await temporaryFolder("conformance");
  const env = {
    OCI_REGISTRY: endpoint.host,
    OCI_TLS: endpoint.scheme === "http" ? "disabled" : "enabled",
    OCI_USERNAME: endpoint.credentials?.username ?? "",
    OCI_PASSWORD: endpoint.credentials?.password ?? "",
    OCI_RESULTS_DIR: folder.path,
    ...(endpoint.caFile === undefined ? {} : { SSL_CERT_FILE: endpoint.caFile }),
    ...profile,
  };
  const finished = await run([binary("conformance")], { cwd: folder.path, env });
  return { ...read(finished.stdout), output: `${finished.stdout}${finished.stderr}` };
}

function readOnly(options: ConformanceOptions): Record<string, string> {
  const { repository } = options;
  return {
    OCI_REPO1: repository,
    OCI_REPO2: repository,
    OCI_VERSION: "1.1",
    OCI_API_PUSH: "false",
    OCI_API_BLOBS_DELETE: "false",
    OCI_API_MANIFESTS_DELETE: "false",
    OCI_API_TAGS_DELETE: "false",
    OCI_API_REFERRER: String(options.referrersOf !== undefined),
    OCI_RO_DATA_TAGS: options.tags.join(" "),
    OCI_RO_DATA_MANIFESTS: options.manifests.join(" "),
    OCI_RO_DATA_BLOBS: options.blobs.join(" "),
    OCI_RO_DATA_REFERRERS: (options.referrersOf ?? []).join(" "),
  };
}

function read(printed: string): Pick<ConformanceReport, "tests" | "apis"> {
  const named = [...printed.matchAll(/^ *OCI Conformance Test\/(.+): (\w+)$/gm)].map(([, name = "", status = ""]) => ({
    name,
    status,
  }));
  const tests = named.filter(({ name }) => !named.some((other) => other.name.startsWith(`${name}/`)));
  const apis = [...printed.matchAll(/^ {2}(\w[\w ]*?)\.{2,}: +(\w+)$/gm)].map(
    ([, api = "", status = ""]) => [api, status] as const,
  );
  return { tests, apis: new Map(apis) };
}
