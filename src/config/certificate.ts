/** True for PEM text of a certificate. What reads it is loaded only when there is one: most starts have none. */
export function isCertificate(pem: string): boolean {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
