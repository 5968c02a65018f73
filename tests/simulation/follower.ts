import { decodeEvents } from "../../mod.ts";
import type { History } from "./history.ts";
import { isEnd, type Link } from "./link.ts";
import { Mirror, Violation } from "./mirror.ts";

/** How a follower comes by its connections, and where it reports what must not be. */
export interface Ground {
  readonly history: History;
  readonly incarnation: string;
  connect(onVerdict?: (code: string) => void): Link;
  fail(error: unknown): void;
  /** The server has ended a watch with an error. */
  judge(follower: Follower, code: string): void;
}

/** A client that watches, that is cut off and comes back, and that holds the server to what it says. */
export class Follower {
  readonly mirror: Mirror;
  /** Since when it has read nothing, in virtual milliseconds. */
  stalledAt: number | null = null;
  /** Whether it has read all the time. */
  isSteady = true;
  frames = 0;
  resumes = 0;
  snapshots = 0;
  /** Whether a watch is under way, or was until the server ended it. */
  link: Link | null = null;
  readonly #ground: Ground;

  constructor(ground: Ground, prefix: string) {
    this.#ground = ground;
    this.mirror = new Mirror(ground.history, prefix);
  }

  get isWatching(): boolean {
    return this.link !== null && !this.link.ended;
  }

  /** Begins to watch: where it was, or from the beginning, or with a position in another life of the map. */
  watch(isStranger = false): void {
    const { incarnation } = this.#ground;
    const link = this.link = this.#ground.connect((code) => this.#ground.judge(this, code));
    const { prefix, begun, revision } = this.mirror;
    const since = begun ? { incarnation: isStranger ? "another" : incarnation, revision } : undefined;
    if (begun && !isStranger) {
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
        // Once it is cut off it does not hear what arrives.
        if (this.link !== link) return;
        this.frames++;
        this.mirror.takeFrame(decodeEvents(payload));
      }
    } catch (error) {
      if (!isEnd(error)) this.#ground.fail(error);
      else if (this.link === link && link.verdict === null) {
        this.#ground.fail(new Violation("a watch was ended, and the server does not say why"));
      }
    }
    link.ended = true;
    if (!link.refusal) link.cut(false);
  }
}
