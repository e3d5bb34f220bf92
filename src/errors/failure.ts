/** Error codes of the OCI distribution specification, v1.1, "Error codes", and our own for what it does not name. */
export type FailureCode =
  | "BLOB_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "RANGE_INVALID"
  | "SIZE_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNSUPPORTED"
  | "CONFIG_INVALID"
  | "STORAGE_FAILED"
  | "STORAGE_LOCKED"
  | "UPSTREAM_DENIED"
  | "UPSTREAM_EGRESS_REFUSED"
  | "UPSTREAM_FAILED"
  | "UPSTREAM_TIMEOUT"
  | "UPSTREAM_WRONG_BYTES"
  | "USAGE";

interface FailureParts {
  readonly code: FailureCode;
  /** What was attempted, on what, and what to do next. Never a secret, never a URL with credentials. */
  readonly message: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class. Absence and refusal are returned as values; a `Failure` is thrown when work could not be done. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(parts: FailureParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "Failure";
    this.code = parts.code;
    this.detail = parts.detail ?? {};
  }
}

/** A caught value as a `Failure`: itself if it is one, else wrapped under `code` with its message kept. */
export function asFailure(error: unknown, code: FailureCode, attempted: string): Failure {
  if (error instanceof Failure) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new Failure({ code, message: `${attempted}: ${reason}`, cause: error });
}
