/**
 * Draws curves over time as SVG. Packages that do so need a browser's document or dozens of other packages, and this is
 * all that is needed of one.
 *
 * @module
 */

/** One curve. */
export interface Curve {
  name: string;
  /** An SVG colour. */
  colour: string;
  values: readonly number[];
}

/** Curves that share a scale, from zero up. */
export interface Panel {
  title: string;
  curves: readonly Curve[];
}

const WIDTH = 900;
const PANEL_HEIGHT = 200;
const TITLE_HEIGHT = 44;
const LEFT = 64;
const RIGHT = 150;
const GAP = 52;

/** Coordinates in a panel. */
interface Scale {
  x: (second: number) => number;
  y: (value: number) => number;
}

/**
 * Draws panels one below the other, over the same period.
 *
 * @param title Title of the document
 * @param seconds Times of the values
 * @param panels The panels; their curves have a value for each of these times
 * @returns An SVG document
 */
export function drawPlot(title: string, seconds: readonly number[], panels: readonly Panel[]): string {
  const height = TITLE_HEIGHT + panels.length * (PANEL_HEIGHT + GAP);
  const drawn = panels.map((panel, index) => drawPanel(panel, seconds, TITLE_HEIGHT + index * (PANEL_HEIGHT + GAP)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(LEFT, 20, title, 'font-size="15"'),
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ title, curves }: Panel, seconds: readonly number[], top: number): string {
  const values = ticks(Math.max(1, ...curves.flatMap((curve) => curve.values)), 4);
  const times = ticks(Math.max(1, ...seconds), 8);
  const last = seconds.at(-1) ?? 1;
  const inner = top + 20;
  const bottom = top + PANEL_HEIGHT;
  const scale: Scale = {
    x: (second) => LEFT + second / Math.max(1, last) * (WIDTH - LEFT - RIGHT),
    y: (value) => bottom - value / values.at(-1)! * (bottom - inner),
  };
  return [
    text(LEFT, top + 8, title, 'font-weight="bold"'),
    ...values.map((value) => drawLevel(value, scale)),
    ...times.filter((time) => time <= last).map((time) => text(scale.x(time), bottom + 18, `${time} s`, CENTRED)),
    ...curves.map((curve) => drawCurve(curve, seconds, scale)),
    ...curves.map(({ name, colour }, index) => {
      return text(WIDTH - RIGHT + 12, inner + 12 + index * 18, name, `fill="${colour}"`);
    }),
  ].join("\n");
}

const CENTRED = 'text-anchor="middle" fill="#555"';

function drawLevel(value: number, { x, y }: Scale): string {
  const height = round(y(value));
  const line = `<line x1="${x(0)}" x2="${WIDTH - RIGHT}" y1="${height}" y2="${height}" stroke="#ddd"/>`;
  return `${line}\n${text(LEFT - 8, y(value) + 4, value.toLocaleString("en"), 'text-anchor="end" fill="#555"')}`;
}

function drawCurve({ name, colour, values }: Curve, seconds: readonly number[], { x, y }: Scale): string {
  const points = values.map((value, index) => `${round(x(seconds[index] ?? 0))},${round(y(value))}`).join(" ");
  const title = `<title>${escape(name)}</title>`;
  return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5">${title}</polyline>`;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escape(content)}</text>`;
}

/**
 * Picks round numbers from zero to the first that is not below the highest value.
 *
 * @param highest Highest value to show
 * @param count Approximate number of steps
 */
export function ticks(highest: number, count: number): number[] {
  const rough = highest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? 10 * power;
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, index) => round(index * step));
}

/** Drops invisible digits. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
