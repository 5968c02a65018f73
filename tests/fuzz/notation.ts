/**
 * How bytes are written in the corpus: `2a 00 03 "abc" | 2a 03`. Two hexadecimal digits are a byte, quotes are around
 * text in ASCII, and whoever reads it says what the marks in between mean.
 *
 * @module
 */

/** Shorter runs of letters are as easy to read in digits. `*` is never among them, since it begins a message. */
const SHORTEST_TEXT = 2;

/** Bytes with marks between them. */
export interface Marked {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In the order of their places. */
  readonly marks: readonly { readonly at: number; readonly mark: string }[];
}

/** Writes bytes, with marks in their places. */
export function writeBytes(bytes: Uint8Array, marks: Marked["marks"] = []): string {
  const parts: string[] = [];
  let at = 0;
  for (const { at: end, mark } of marks) {
    parts.push(...writePart(bytes.subarray(at, end)), mark);
    at = end;
  }
  return [...parts, ...writePart(bytes.subarray(at))].join(" ");
}

function writePart(bytes: Uint8Array): string[] {
  const latin = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const pieces = latin.match(new RegExp(`[ -)+-~]{${SHORTEST_TEXT},}|[^]`, "g")) ?? [];
  return pieces.map((piece) =>
    piece.length >= SHORTEST_TEXT ? quote(piece) : piece.charCodeAt(0).toString(16).padStart(2, "0")
  );
}

/** JSON is easier to read in quotes that it does not use itself. */
function quote(text: string): string {
  return /^[^'\\]*"[^'\\]*$/.test(text) ? `'${text}'` : JSON.stringify(text);
}

/**
 * Reads what {@linkcode writeBytes} wrote.
 *
 * @throws {SyntaxError} when it is something else
 */
export function readBytes(text: string): Marked {
  const bytes: number[] = [];
  const marks: { at: number; mark: string }[] = [];
  for (const [word] of text.matchAll(/'[^']*'|"(?:[^"\\]|\\.)*"|\S+/g)) {
    if (word.startsWith("'")) bytes.push(...new TextEncoder().encode(word.slice(1, -1)));
    else if (word.startsWith('"')) bytes.push(...new TextEncoder().encode(JSON.parse(word)));
    else if (/^[0-9a-f]{2}$/.test(word)) bytes.push(Number.parseInt(word, 16));
    else if (/^[|!]$/.test(word)) marks.push({ at: bytes.length, mark: word });
    else throw new SyntaxError(`Cannot read input: ${word} is neither a byte nor a text nor a mark`);
  }
  return { bytes: Uint8Array.from(bytes), marks };
}
