/**
 * Times and durations, for people.
 *
 * @module
 */

/**
 * Formats a time as briefly as possible.
 *
 * @param milliseconds Since 1970-01-01 UTC
 * @param now The current time, likewise
 * @returns The time of day if it is today, otherwise the date; both in the time zone of this machine
 */
export function shortTime(milliseconds: number, now: number = Date.now()): string {
  const [date, time] = partsOf(milliseconds);
  return date === partsOf(now)[0] ? time : date;
}

/**
 * Writes a time with its date.
 *
 * @param milliseconds The time, in milliseconds since 1970
 * @returns Such as `2026-02-03 04:05:06`, in this machine's time zone
 */
export function clockTime(milliseconds: number): string {
  return partsOf(milliseconds).join(" ");
}

function partsOf(milliseconds: number): [date: string, time: string] {
  const at = new Date(milliseconds);
  // A server may send any number.
  if (Number.isNaN(at.getTime())) return ["?", "?"];
  const two = (value: number) => `${value}`.padStart(2, "0");
  return [
    `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
  ];
}

const UNITS: readonly (readonly [unit: string, milliseconds: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/**
 * Formats a duration in its two largest units.
 *
 * @param milliseconds The duration
 * @returns Such as `3h 12m` or `0s`
 */
export function longDuration(milliseconds: number): string {
  let rest = Math.max(0, Math.floor(milliseconds / 1_000) * 1_000);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    if (rest < size && parts.length === 0) continue;
    parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.slice(0, 2).join(" ") || "0s";
}
