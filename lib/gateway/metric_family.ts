/**
 * A metric with its values.
 *
 * @module
 */

/** One value. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** What is appended to the family's name. */
  readonly suffix?: string;
}

/** Values that belong together. */
export interface Family {
  /** Its name, without the `_total` of a counter. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "info";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * Declares a value that only grows.
 *
 * @param name Its name, without `_total`
 * @param help What it is
 * @param value The value, or one for each set of labels
 * @returns The family
 */
export function counter(name: string, help: string, value: number | readonly Sample[]): Family {
  return { name, type: "counter", help, samples: typeof value === "number" ? [{ value }] : value };
}

/**
 * Declares a value that grows and shrinks.
 *
 * @param name Its name
 * @param help What it is
 * @param value The value, or one for each set of labels
 * @returns The family
 */
export function gauge(name: string, help: string, value: number | readonly Sample[]): Family {
  return { name, type: "gauge", help, samples: typeof value === "number" ? [{ value }] : value };
}
