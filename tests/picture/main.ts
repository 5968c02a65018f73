/**
 * `deno task picture`: records `tracker watch` for the top of the README.
 *
 * A server and its clients run in this process, and `watch` on a terminal of its own, which `script` (of util-linux)
 * makes. Each scene is drawn from the bytes that `watch` has written. Names, states and times are the same in every run,
 * so that a new picture differs from the old one only where Tracker does. Port 6789 has to be free.
 *
 * @module
 */

import { Registry, serve } from "../../mod.ts";
import { Running } from "../support/program.ts";
import { createClock } from "./clock.ts";
import { drawTerminal, type Frame } from "./drawing.ts";
import { Cast, open, type Scene, SCENES, STILL } from "./scenes.ts";
import { latestDrawing, type Line, textOf } from "./screen.ts";

const PICTURE = new URL("../../.github/watch.svg", import.meta.url);

const MAIN = new URL("../../main.ts", import.meta.url);

const COLUMNS = 84;

/** The table's frame takes three of them. */
const ROWS = 8;

/** From one scene to the next, in milliseconds: longer than a second, so that each has a time of its own. */
const PACE = 2_000;

/** Starts `watch` on a terminal, with the picture's clock. */
function startWatch(began: number): Running {
  const deno = [Deno.execPath(), "run", "-N", `--preload=${new URL(`./clock.ts?began=${began}`, import.meta.url)}`];
  const line = [...deno, MAIN.pathname, "watch"].map((word) => `'${word}'`).join(" ");
  const shell = `stty cols ${COLUMNS} rows ${ROWS}; exec ${line}`;
  return new Running(["script", "-qefc", shell, "/dev/null"], { env: { NO_COLOR: "", TZ: "UTC" } });
}

/** Plays a scene at its time, and returns what the screen shows of it. */
async function play(scene: Scene, at: number, cast: Cast, watch: Running): Promise<Line[]> {
  await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
  await scene.act(cast);
  return await watch.stdout.until((output) => {
    const lines = latestDrawing(output);
    return lines !== undefined && scene.isShown(lines.map(textOf).join("\n")) ? lines : undefined;
  });
}

async function record(): Promise<Frame[]> {
  const began = Date.now();
  await using server = serve({ registry: new Registry({ now: createClock(began) }) });
  const cast = new Cast(server.addr.port);
  await open(cast);
  await using watch = startWatch(began);
  const frames: Frame[] = [];
  for (const [index, scene] of SCENES.entries()) {
    const lines = await play(scene, began + (index + 1) * PACE, cast, watch);
    frames.push({ lines, caption: scene.caption, seconds: scene.seconds });
  }
  await watch.type("\x03");
  await watch.end();
  await cast.leave();
  return frames;
}

if (import.meta.main) {
  const look = { command: "tracker watch", columns: COLUMNS, rows: ROWS, still: STILL };
  await Deno.writeTextFile(PICTURE, drawTerminal(await record(), look));
}
