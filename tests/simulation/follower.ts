import { decodeEvents } from "../../lib/wire/mod.ts";
import type { History } from "./history.ts";
import { isEnd, type Link } from "./link.ts";
import { Mirror, Violation } from "./mirror.ts";

/** The simulation, as its clients know it. */
export interface Ground {
  /** Everything that has happened to the map. */
  readonly history: History;
  /** The map's incarnation. */
  readonly incarnation: string;
  /** Connects; `onVerdict` is called with the code of an error with which the server ends the connection. */
  connect(onVerdict?: (code: string) => void): Link;
  /** Reports a failure. */
  fail(error: unknown): void;
  /** Checks whether the server was right to end a watch with an error. */
  judge(follower: Follower, code: string): void;
}

/** A client that watches, is cut off and comes back, and checks all it is told. */
export class Follower {
  readonly mirror: Mirror;
  /** When it stopped reading, in virtual milliseconds; `null` while it reads. */
  stalledAt: number | null = null;
  /** Whether it has never stopped reading. */
  isSteady = true;
  frames = 0;
  resumes = 0;
  snapshots = 0;
  /** The connection it watches on, or the one that the server has ended. */
  link: Link | null = null;
  readonly #ground: Ground;

  constructor(ground: Ground, prefix: string) {
    this.#ground = ground;
    this.mirror = new Mirror(ground.history, prefix);
  }

  get isWatching(): boolean {
    return this.link !== null && !this.link.isEnded;
  }

  /** Begins a watch: from its position, from the beginning, or from a position of another incarnation. */
  watch(isStranger = false): void {
    const { incarnation } = this.#ground;
    const link = this.link = this.#ground.connect((code) => this.#ground.judge(this, code));
    const { prefix, isComplete, revision } = this.mirror;
    const since = isComplete ? { incarnation: isStranger ? "another" : incarnation, revision } : undefined;
    if (isComplete && !isStranger) {
      this.mirror.expectResume();
      this.resumes++;
    } else {
      this.mirror.expectSnapshot();
      this.snapshots++;
    }
    this.stalledAt = null;
    link.request(4, {});
    link.request(5, { prefix, since });
    void this.#read(link);
  }

  stall(now: number | null): void {
    if (now !== null) this.isSteady = false;
    this.stalledAt = now;
    this.link?.stall(now !== null);
  }

  ping(): void {
    this.link?.send(42, 7);
  }

  cut(isCrash: boolean): void {
    this.link?.cut(isCrash);
    this.link = null;
  }

  async #read(link: Link): Promise<void> {
    try {
      await link.readDone();
      await link.readPayload();
      await link.readDone();
      for (let payload = await link.readPayload(); payload !== null; payload = await link.readPayload()) {
        // After it is cut off it ignores what still arrives.
        if (this.link !== link) return;
        this.frames++;
        this.mirror.takeFrame(decodeEvents(payload));
      }
    } catch (error) {
      if (!isEnd(error)) this.#ground.fail(error);
      else if (this.link === link && link.verdict === null) {
        this.#ground.fail(new Violation("a watch ended, and the server does not say why"));
      }
    }
    link.isEnded = true;
    if (!link.refusal) link.cut(false);
  }
}
