/**
 * Which folder may import what: other folders, and packages by name. Arrows point down only. A test file may also use
 * what its own folder's tests share.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  reference: [],
  manifest: ["reference"],
  rules: ["reference"],
  net: ["errors"],
  config: ["errors", "net", "reference", "rules", "yaml", "zod"],
  registry: ["config", "errors", "manifest", "net", "reference"],
  s3: ["aws4", "config", "errors", "reference", "registry"],
  store: ["errors", "reference", "registry", "s3"],
  mirror: ["errors", "manifest", "reference", "registry", "rules", "store"],
  copy: ["errors", "manifest", "reference", "registry"],
  layout: ["copy", "errors", "manifest", "reference", "registry", "zod"],
  sync: ["config", "reference", "re2js", "zod"],
  steer: ["config", "errors", "manifest", "net", "reference", "registry", "rules"],
  hosted: ["manifest", "mirror", "reference", "store"],
  server: [
    "config",
    "errors",
    "hosted",
    "manifest",
    "mirror",
    "net",
    "reference",
    "registry",
    "rules",
    "steer",
    "store",
    "zod",
  ],
  cli: [
    "commander",
    "config",
    "copy",
    "errors",
    "hosted",
    "layout",
    "manifest",
    "mirror",
    "net",
    "reference",
    "registry",
    "rules",
    "s3",
    "server",
    "steer",
    "store",
  ],
};

/** Folders whose code runs anywhere: no runtime's name, no network's. */
export const pure: ReadonlySet<string> = new Set(["reference", "manifest", "rules"]);
