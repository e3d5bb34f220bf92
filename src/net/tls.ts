import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Failure } from "../errors/failure.ts";

/** A PEM file that was read: its path for messages, its text. */
export interface PemFile {
  readonly path: string;
  readonly text: string;
}

/** One certificate of a listener: the chain with the leaf first, its key, and the CAs that client certificates must come from. */
export interface TlsEntry {
  readonly cert: PemFile;
  readonly key: PemFile;
  readonly clientCA?: PemFile | undefined;
}

/** One entry of the runtime's `tls` array. The first one, which may be without a name, answers clients that ask for no name or an unknown one. */
interface TlsOption {
  readonly serverName?: string;
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert?: true;
  readonly rejectUnauthorized?: true;
}

/** What to listen with, and what to warn of: certificates that have expired, are not valid yet, or have 14 days or a third of their life left. */
export interface ListenerTls {
  readonly options: readonly TlsOption[];
  readonly warnings: readonly string[];
}

const WARN_BEFORE_MS = 14 * 24 * 60 * 60 * 1000;

/**
 * TLS options for one listener, each certificate under every DNS name of its subjectAltName (RFC 6066, 3; wildcards too). CONFIG_INVALID
 * names the file that is no certificate or no key, a key of another certificate, a certificate no client could ask for, and client CAs
 * that differ: the client picks the name, so the weakest entry would hold for all.
 */
export function tlsOptions(entries: readonly TlsEntry[], nowMs: number): ListenerTls | Failure {
  const options: TlsOption[] = [];
  const warnings: string[] = [];
  const owners = new Map<string, string>();
  for (const [index, entry] of entries.entries()) {
    if (entry.clientCA?.text !== entries[0]?.clientCA?.text) {
      return invalid(
        entry.cert.path,
        "clientCA must be the same for all certificates of a listener, or be given for none",
      );
    }
    const certificate = readCertificate(entry);
    if (certificate instanceof Failure) return certificate;
    const names = dnsNames(certificate);
    for (const name of names) {
      const owner = owners.get(name);
      if (owner !== undefined)
        return invalid(entry.cert.path, `${name} is already served by ${owner}; give each name one certificate`);
      owners.set(name, entry.cert.path);
    }
    if (names.length === 0 && index > 0) {
      return invalid(
        entry.cert.path,
        "has no DNS name in its subjectAltName, so only the first certificate could be this one",
      );
    }
    warnings.push(...validityWarnings(entry.cert.path, certificate, nowMs));
    options.push(...optionsOf(entry, names));
  }
  return { options, warnings };
}

function invalid(path: string, problem: string): Failure {
  return new Failure({ code: "CONFIG_INVALID", message: `${path}: ${problem}` });
}

/** The leaf certificate, after its key and the client CA were found to be what they should. */
function readCertificate({ cert, key, clientCA }: TlsEntry): X509Certificate | Failure {
  const certificate = parse(() => new X509Certificate(cert.text));
  if (certificate === undefined) return invalid(cert.path, "is no PEM certificate");
  const privateKey = parse<KeyObject>(() => createPrivateKey(key.text));
  if (privateKey === undefined) return invalid(key.path, "is no unencrypted PEM private key");
  if (!certificate.checkPrivateKey(privateKey)) {
    return invalid(key.path, `is not the key of ${cert.path}, whose first certificate must be the server's own`);
  }
  if (clientCA !== undefined && parse(() => new X509Certificate(clientCA.text)) === undefined) {
    return invalid(clientCA.path, "is no PEM certificate");
  }
  return certificate;
}

function parse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** DNS names of the subjectAltName, lower case, once each. Names the runtime quotes are no host names and match nothing here. */
function dnsNames(certificate: X509Certificate): readonly string[] {
  const alternatives = (certificate.subjectAltName ?? "").split(", ");
  const names = alternatives.flatMap((text) => /^DNS:([A-Za-z0-9.*_-]+)$/.exec(text)?.[1]?.toLowerCase() ?? []);
  return [...new Set(names)];
}

function validityWarnings(path: string, certificate: X509Certificate, nowMs: number): readonly string[] {
  const fromMs = Date.parse(certificate.validFrom);
  const untilMs = Date.parse(certificate.validTo);
  const until = new Date(untilMs).toISOString();
  if (untilMs <= nowMs) return [`${path} expired at ${until}; clients will refuse it`];
  if (fromMs > nowMs) return [`${path} is not valid before ${new Date(fromMs).toISOString()}; clients will refuse it`];
  const warnBeforeMs = Math.min(WARN_BEFORE_MS, (untilMs - fromMs) / 3);
  return untilMs - nowMs < warnBeforeMs ? [`${path} expires at ${until}`] : [];
}

function optionsOf({ cert, key, clientCA }: TlsEntry, names: readonly string[]): readonly TlsOption[] {
  const clients =
    clientCA === undefined ? {} : ({ ca: clientCA.text, requestCert: true, rejectUnauthorized: true } as const);
  const base = { cert: cert.text, key: key.text, ...clients };
  return names.length === 0 ? [base] : names.map((serverName) => ({ serverName, ...base }));
}
