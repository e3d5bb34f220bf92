/** An object of a document, of whose fields nothing is known. */
export type Fields = Readonly<Record<string, unknown>>;

/** A value as an object, which an array is not. */
export function fieldsOf(value: unknown): Fields | undefined {
  // Checked just so: any key of an object may be asked for, and nothing is known of what it gives.
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** A value as an object of nothing but texts. */
function textsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined || !Object.values(fields).every((text) => typeof text === "string")) return undefined;
  return fields as Readonly<Record<string, string>>; // as was checked
}

/**
 * Reads fields and keeps the first problem, with its place. What is not as it should be reads as nothing, so the caller goes on to the
 * end and asks for the problem then.
 */
export class FieldReader {
  #problem: string | undefined;

  /** The first thing that is not as it should be. */
  get problem(): string | undefined {
    return this.#problem;
  }

  object(value: unknown, place: string): Fields {
    return fieldsOf(value) ?? this.#refuse(place, "not an object") ?? {};
  }

  text(value: unknown, place: string, maxLength: number = Number.POSITIVE_INFINITY): string {
    if (typeof value !== "string") return this.#refuse(place, "not a text") ?? "";
    if (value.length > maxLength) this.#refuse(place, `longer than ${maxLength}`);
    return value;
  }

  /** A whole number from 0 on that is exactly what is written. */
  count(value: unknown, place: string): number {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    return this.#refuse(place, "not a whole number from 0 to 2^53 - 1") ?? 0;
  }

  list(value: unknown, place: string, maxLength: number): readonly unknown[] {
    if (!Array.isArray(value)) return this.#refuse(place, "not a list") ?? [];
    if (value.length > maxLength) return this.#refuse(place, `more than ${maxLength} entries`) ?? [];
    return value;
  }

  texts(value: unknown, place: string): Readonly<Record<string, string>> {
    return textsOf(value) ?? this.#refuse(place, "not an object of texts") ?? {};
  }

  /** Notes a problem of the caller's own finding. */
  refuse(place: string, problem: string): void {
    this.#refuse(place, problem);
  }

  #refuse(place: string, problem: string): undefined {
    this.#problem ??= `${place}: ${problem}`;
  }
}
