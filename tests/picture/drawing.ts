/**
 * Drawings of a terminal as one SVG that moves: each is shown for its time, over and over. Where nothing moves, because
 * the viewer can't or the reader has asked for less motion, one of them stands still.
 *
 * @module
 */

import { type Line, textOf } from "./screen.ts";

/** A drawing, and how long it is shown. */
export interface Frame {
  readonly lines: readonly Line[];
  readonly caption: string;
  readonly seconds: number;
}

/** How a terminal looks. */
export interface Look {
  /** What was typed to start it. */
  readonly command: string;
  /** Columns and rows of the terminal. */
  readonly columns: number;
  readonly rows: number;
  /** The frame to show where nothing moves. */
  readonly still: number;
}

/** In pixels, at a font size of 14: what monospaced fonts have, and lines are stretched to where one has not. */
const CHARACTER = 8.43;
const LINE = 20;
const PADDING = 20;
const BAR = 36;

/**
 * Draws a terminal window.
 *
 * @param frames What it shows, one after the other
 * @param look How it looks
 * @returns An SVG document
 */
export function drawTerminal(frames: readonly Frame[], look: Look): string {
  const width = Math.ceil(look.columns * CHARACTER + 2 * PADDING);
  const captionTop = BAR + PADDING + look.rows * LINE + 8;
  const height = captionTop + 36;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escape(look.command)}: ${escape(frames.map(({ caption }) => caption).join(" "))}</title>`,
    `<style>${styleOf(frames, look.still)}</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="#161b22" stroke="#6e7681"/>`,
    `<path d="M1 ${BAR}H${width - 1}M1 ${captionTop - 4}H${width - 1}" stroke="#30363d"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map((colour, at) => {
      return `<circle cx="${20 + at * 20}" cy="${BAR / 2}" r="6" fill="${colour}"/>`;
    }),
    `<text class="dim" x="${width / 2}" y="${BAR / 2 + 5}" text-anchor="middle">$ ${escape(look.command)}</text>`,
    ...frames.map((frame, at) => drawFrame(frame, at, captionTop)),
    "</svg>",
    "",
  ].join("\n");
}

function drawFrame({ lines, caption }: Frame, at: number, captionTop: number): string {
  return [
    `<g class="frame f${at}">`,
    ...lines.map((line, row) => drawLine(line, BAR + PADDING + row * LINE + 10)),
    `<text class="caption" x="${PADDING}" y="${captionTop + 20}">${escape(caption)}</text>`,
    "</g>",
  ].join("\n");
}

function drawLine(line: Line, y: number): string {
  const text = textOf(line);
  if (text.trim() === "") return "";
  const spans = line.map(({ text, isBold }) => isBold ? `<tspan class="bold">${escape(text)}</tspan>` : escape(text));
  const length = Math.round([...text].length * CHARACTER * 100) / 100;
  return `<text x="${PADDING}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${
    spans.join("")
  }</text>`;
}

/** A frame is hidden but for its share of the time. */
function styleOf(frames: readonly Frame[], still: number): string {
  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  let from = 0;
  const animations = frames.map(({ seconds }, at) => {
    const [begin, end] = [from, from += seconds].map((second) => Math.round(second / total * 10_000) / 100);
    const before = begin === 0 ? "" : `0%{opacity:0}`;
    const after = end === 100 ? "" : `${end}%{opacity:0}`;
    return `@keyframes f${at}{${before}${begin}%{opacity:1}${after}}.f${at}{animation:f${at} ${total}s step-end infinite}`;
  });
  return [
    `text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}`,
    ".bold{font-weight:bold}.dim{fill:#9198a1}.caption{fill:#9198a1;font-style:italic}",
    `.frame{opacity:0}.f${still}{opacity:1}`,
    `@media (prefers-reduced-motion:no-preference){${animations.join("")}}`,
  ].join("");
}

function escape(content: string): string {
  // Blanks in a row would be drawn as one where white-space is not understood.
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    "  ",
    "\u00a0\u00a0",
  );
}
