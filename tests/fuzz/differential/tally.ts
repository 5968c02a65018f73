/**
 * What two implementations have decided.
 *
 * @module
 */

/** Counts decisions. */
export class Tally {
  readonly counts = new Map<string, number>();
  /** How many inputs were compared. */
  total = 0;

  count(decision: string): void {
    this.total++;
    this.counts.set(decision, (this.counts.get(decision) ?? 0) + 1);
  }

  /** A line for each decision, the most frequent first. */
  get lines(): string[] {
    return [...this.counts].sort(([, one], [, other]) => other - one).map(([decision, count]) =>
      `${count}\t${decision}`
    );
  }
}

/** Two implementations differ where they must not. */
export class Violation extends Error {
  constructor(what: string, input: Uint8Array, results: unknown) {
    const text = JSON.stringify(String.fromCharCode(...input));
    super(`${what}: ${text}\n${JSON.stringify(results)}`);
    this.name = "Violation";
  }
}

/** Puts bytes one behind another. Unlike `bytesOf` it takes any number of parts. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
