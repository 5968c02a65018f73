/** Types of the functions in use from the standard library, whose npm package comes without types. */

export function concat(buffers: readonly Uint8Array[]): Uint8Array<ArrayBuffer>;
export function equals(a: Uint8Array, b: Uint8Array): boolean;

export interface ParseOptions {
  alias?: Readonly<Record<string, string>>;
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}
export function parseArgs(
  args: readonly string[],
  options?: ParseOptions,
): { _: (string | number)[] } & Record<string, unknown>;

export class TextLineStream extends TransformStream<string, string> {
  constructor();
}

export function closestString(word: string, words: readonly string[]): string;

export function levenshteinDistance(one: string, other: string): number;
