import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";

/** A certificate and its key as PEM text. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What to issue. Without an issuer the certificate signs itself and is a CA. Valid for a day around now unless said otherwise. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  /** Dotted IPv4. */
  readonly addresses?: readonly string[];
  readonly fromMs?: number;
  readonly untilMs?: number;
  readonly issuer?: IssuedCertificate & { readonly commonName: string };
}

const ECDSA_WITH_SHA256 = sequence(hex("06082a8648ce3d040302"));
const DAY_MS = 24 * 60 * 60 * 1000;

/** Issues an X.509 certificate (RFC 5280, 4.1) for tests, so that they need neither key files nor a program that makes them. */
export function issueCertificate(request: CertificateRequest): IssuedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const now = Date.now();
  const body = sequence(
    der(0xa0, hex("020102")),
    der(0x02, Uint8Array.of(1), crypto.getRandomValues(new Uint8Array(8))),
    ECDSA_WITH_SHA256,
    distinguishedName(request.issuer?.commonName ?? request.commonName),
    sequence(utcTime(request.fromMs ?? now - DAY_MS), utcTime(request.untilMs ?? now + DAY_MS)),
    distinguishedName(request.commonName),
    createPublicKey(publicKey).export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions(request))),
  );
  const signature = sign("sha256", body, createPrivateKey(request.issuer?.key ?? privateKey));
  return { cert: pem(sequence(body, ECDSA_WITH_SHA256, der(0x03, Uint8Array.of(0), signature))), key: privateKey };
}

function extensions(request: CertificateRequest): readonly Uint8Array[] {
  const isCa = request.issuer === undefined && request.dnsNames === undefined && request.addresses === undefined;
  if (isCa) return [sequence(hex("0603551d13"), hex("0101ff"), der(0x04, sequence(hex("0101ff"))))];
  const names = [
    ...(request.dnsNames ?? []).map((name) => der(0x82, new TextEncoder().encode(name))),
    ...(request.addresses ?? []).map((address) => der(0x87, Uint8Array.from(address.split("."), Number))),
  ];
  return names.length === 0 ? [] : [sequence(hex("0603551d11"), der(0x04, sequence(...names)))];
}

function distinguishedName(commonName: string): Uint8Array {
  return sequence(der(0x31, sequence(hex("0603550403"), der(0x0c, new TextEncoder().encode(commonName)))));
}

function utcTime(timeMs: number): Uint8Array {
  const digits = new Date(timeMs).toISOString().replace(/\.\d+Z$|[-:T]/g, "");
  return der(0x17, new TextEncoder().encode(`${digits.slice(2)}Z`));
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...parts);
}

/** One DER element (X.690, 8.1) of less than 64 KiB. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 256 ? [0x81, length] : [0x82, length >>> 8, length & 255];
  const lengthBytes = length < 128 ? [length] : long;
  return Buffer.concat([Uint8Array.of(tag, ...lengthBytes), content]);
}

function hex(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}

function pem(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
