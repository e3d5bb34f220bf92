import { issueCertificate } from "../net/test-certificate.ts";
import { type Invalid, type Loaded, loadSettings } from "./load.ts";
import type { Overrides } from "./draft.ts";
import type { Environment } from "./environment.ts";
import type { Settings } from "./settings.ts";
import { formatProblem } from "./problem.ts";

/** Files by absolute path, as tests see the disk. */
export type Files = Readonly<Record<string, string>>;

const server = issueCertificate({ commonName: "registry.example", dnsNames: ["registry.example"] });
const authority = issueCertificate({ commonName: "authority.example" });

/** The PEM text of ca.crt and internal.pem. */
export const authorityPem: string = authority.cert;

/** The files that the examples name. */
export const exampleFiles: Files = {
  "/etc/periplus/tls.crt": server.cert,
  "/etc/periplus/tls.key": server.key,
  "/etc/periplus/ca.crt": authority.cert,
  "/etc/periplus/other.key": authority.key,
  "/etc/periplus/internal.pem": authority.cert,
  "/etc/periplus/s3-secret": "secret\n",
  "/etc/periplus/users": "ann:$2y$05$abcdefghijklmnopqrstuv\n",
  "/etc/periplus/password": "secret\n",
};

/** What a test loads: the text of /etc/periplus/config.yaml, none for no file, and what is around it. */
export interface World {
  readonly text?: string;
  readonly overrides?: Overrides;
  readonly env?: Environment;
  readonly files?: Files;
}

/** Loads with the working directory /home/ann and only the given files on disk. */
export function load({ text, overrides, env = {}, files = exampleFiles }: World): Promise<Loaded | Invalid> {
  const onDisk = text === undefined ? files : { ...files, "/etc/periplus/config.yaml": text };
  return loadSettings({
    file: text === undefined ? undefined : "../../etc/periplus/config.yaml",
    overrides,
    env,
    cwd: "/home/ann",
    readFile: (path) => {
      const found = onDisk[path];
      return found === undefined
        ? Promise.reject(Object.assign(new Error(`ENOENT ${path}`), { code: "ENOENT" }))
        : Promise.resolve(found);
    },
  });
}

/** The settings of a world that must load. */
export async function settingsOf(world: World): Promise<Settings> {
  const loaded = await load(world);
  if (loaded.kind === "loaded") return loaded.settings;
  throw new Error(loaded.problems.map(formatProblem).join("\n"));
}
