/** What the config of an image says that people ask for. OCI image spec, config.md. */
export interface ConfigFacts {
  readonly platform: string | undefined;
  /** When it was built, as it is written there. */
  readonly created: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly user: string | undefined;
}

/** Reads the config of an image; what is not as it should be is left out. */
export function parseConfigFacts(text: string): ConfigFacts | undefined {
  const document = objectOf(parseJson(text));
  if (document === undefined) return undefined;
  const inner = objectOf(document["config"]) ?? {};
  const [os, architecture] = [textOf(document["os"]), textOf(document["architecture"])];
  const labels = Object.entries(objectOf(inner["Labels"]) ?? {}).flatMap(([key, value]) =>
    typeof value === "string" ? [[key, value] as const] : [],
  );
  return {
    platform: os === undefined || architecture === undefined ? undefined : `${os}/${architecture}`,
    created: textOf(document["created"]),
    labels: Object.fromEntries(labels),
    entrypoint: textsOf(inner["Entrypoint"]),
    command: textsOf(inner["Cmd"]),
    user: textOf(inner["User"]),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}
