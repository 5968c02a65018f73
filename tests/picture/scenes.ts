/**
 * What happens in the picture.
 *
 * @module
 */

import { type Client, connect } from "../../mod.ts";

/** A moment of the story. */
export interface Scene {
  /** What happens, for the line below the screen. */
  readonly caption: string;
  /** How long it is shown, in seconds. */
  readonly seconds: number;
  /** Makes it happen. */
  readonly act: (cast: Cast) => Promise<void> | void;
  /** Whether the screen shows that it has happened. */
  readonly isShown: (screen: string) => boolean;
}

/** Clients under fixed names. */
export class Cast {
  readonly #port: number;
  readonly #clients = new Map<string, Client>();

  /**
   * Prepares clients of a server on this machine.
   *
   * @param port The server's port
   */
  constructor(port: number) {
    this.#port = port;
  }

  /** Connects a client, or brings it back. */
  async enter(name: string, state: string, grace = 0): Promise<void> {
    this.#clients.set(name, await connect({ port: this.#port, name, grace, state, takeover: true }));
  }

  /** Gives a client a new state. */
  update(name: string, state: string): void {
    this.#clients.get(name)?.update(state);
  }

  /** Breaks a client's connection without a word, as a crash does. */
  crash(name: string): void {
    this.#clients.get(name)?.abort();
  }

  /** Lets all clients leave. */
  async leave(): Promise<void> {
    for (const client of this.#clients.values()) client.abort();
    await Promise.all(Array.from(this.#clients.values(), (client) => client.finished));
  }
}

/** How long a client that has lost its connection stays, in seconds. */
const GRACE = 30;

/** The clients that are there at first. */
export async function open(cast: Cast): Promise<void> {
  await cast.enter("pi-kitchen", "21.5 °C", GRACE);
  await cast.enter("pi-cellar", "12.0 °C", GRACE);
  await cast.enter("robot-3", "charging 80 %");
  await cast.enter("worker-1", "idle");
}

/** The story, in order. */
export const SCENES: readonly Scene[] = [
  {
    caption: "Two sensors, a robot and a worker are connected.",
    seconds: 3,
    act: () => {},
    isShown: (screen) => /worker-1 .*idle/.test(screen) && screen.includes("pi-kitchen  live"),
  },
  {
    caption: "The worker takes a job.",
    seconds: 2.5,
    act: (cast) => cast.update("worker-1", "resizing 1400 photos"),
    isShown: (screen) => screen.includes("resizing"),
  },
  {
    caption: "A second worker starts.",
    seconds: 2.5,
    act: (cast) => cast.enter("worker-2", "idle"),
    isShown: (screen) => screen.includes("worker-2"),
  },
  {
    caption: "The cellar's connection breaks: suspect for 30 seconds, but not gone.",
    seconds: 3.5,
    act: (cast) => cast.crash("pi-cellar"),
    isShown: (screen) => screen.includes("suspect"),
  },
  {
    caption: "The robot crashes. It is gone at once.",
    seconds: 3.5,
    act: (cast) => cast.crash("robot-3"),
    isShown: (screen) => !screen.includes("robot-3"),
  },
  {
    caption: "The cellar is back: no leave, no join, the same entry.",
    seconds: 3.5,
    act: (cast) => cast.enter("pi-cellar", "12.1 °C", GRACE),
    isShown: (screen) => !screen.includes("suspect") && screen.includes("12.1"),
  },
];

/** The scene that stands for all of them where nothing can move. */
export const STILL = 3;
