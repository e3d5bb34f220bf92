/** The platform that an entry of an index is for. OCI image spec, image-index.md, `platform`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

/** Parses `os/architecture[/variant]`; `undefined` for any other shape. */
export function parsePlatform(text: string): Platform | undefined {
  const parts = text.split("/");
  const [os, architecture, variant] = parts;
  if (parts.length > 3 || !os || !architecture || variant === "") return undefined;
  if (!parts.every((part) => /^[a-z0-9._-]{1,32}$/.test(part))) return undefined;
  return { os, architecture, variant };
}

/** The one spelling of a platform: `os/architecture[/variant]`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return `${os}/${architecture}${variant === undefined ? "" : `/${variant}`}`;
}

/** True when `offered` satisfies `wanted`; a wanted platform without a variant takes any. */
export function satisfies(offered: Platform, wanted: Platform): boolean {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return false;
  return wanted.variant === undefined || offered.variant === wanted.variant;
}
