/**
 * The picture of a run.
 *
 * @module
 */

import { drawPlot } from "./plot.ts";
import type { Sample } from "./recorder.ts";

const MIB = 2 ** 20;

/**
 * Draws the server's resources during a run.
 *
 * @param title Title of the picture
 * @param samples Samples of the server, one a second
 * @returns An SVG document
 */
export function drawPicture(title: string, samples: readonly Sample[]): string {
  const curve = (name: string, colour: string, value: (sample: Sample) => number) => {
    return { name, colour, values: samples.map(value) };
  };
  return drawPlot(title, samples.map(({ at }) => at), [
    {
      title: "Memory of the server, in MiB",
      curves: [
        curve("resident", "#c33", ({ rss }) => rss / MIB),
        curve("heap in use", "#36c", ({ heap }) => heap / MIB),
        curve("buffers", "#393", ({ external }) => external / MIB),
      ],
    },
    {
      title: "Connections",
      curves: [
        curve("connections", "#c33", ({ connections }) => connections),
        curve("descriptors", "#999", ({ descriptors }) => descriptors),
        curve("clients", "#36c", ({ clients }) => clients),
        curve("suspects", "#c80", ({ suspects }) => suspects),
        curve("watchers", "#393", ({ watchers }) => watchers),
      ],
    },
    { title: "Messages a second", curves: [curve("messages", "#36c", ({ messages }) => messages)] },
  ]);
}
