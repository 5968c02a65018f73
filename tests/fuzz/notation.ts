/**
 * The notation for bytes in the corpus: `2a 00 03 "abc" | 2a 03`. Two hexadecimal digits are a byte, text in ASCII is
 * quoted, and marks stand between bytes; the caller gives them their meaning.
 *
 * @module
 */

/** Shorter runs of letters are as easy to read in digits. `*` is always in digits, because it begins a message. */
const SHORTEST_TEXT = 2;

/** Bytes with marks between them. */
export interface Marked {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The marks, in the order of their offsets. */
  readonly marks: readonly { readonly at: number; readonly mark: string }[];
}

/** Writes bytes with their marks. */
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

/** Quotes text: JSON is easier to read in quotes that it does not use itself. */
function quote(text: string): string {
  return /^[^'\\]*"[^'\\]*$/.test(text) ? `'${text}'` : JSON.stringify(text);
}

/**
 * Reads the output of {@linkcode writeBytes}.
 *
 * @throws {SyntaxError} when the text is anything else
 */
export function readBytes(text: string): Marked {
  const bytes: number[] = [];
  const marks: { at: number; mark: string }[] = [];
  for (const [word] of text.matchAll(/'[^']*'|"(?:[^"\\]|\\.)*"|\S+/g)) {
    if (word.startsWith("'")) bytes.push(...new TextEncoder().encode(word.slice(1, -1)));
    else if (word.startsWith('"')) bytes.push(...new TextEncoder().encode(JSON.parse(word)));
    else if (/^[0-9a-f]{2}$/.test(word)) bytes.push(Number.parseInt(word, 16));
    else if (/^[|!]$/.test(word)) marks.push({ at: bytes.length, mark: word });
    else throw new SyntaxError(`Cannot read input: ${word} is not a byte, a text or a mark`);
  }
  return { bytes: Uint8Array.from(bytes), marks };
}
