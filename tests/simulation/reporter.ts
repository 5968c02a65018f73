import type { Greeting } from "../../mod.ts";
import { decodeList } from "../../lib/wire/mod.ts";
import { textOf } from "../support/bytes.ts";
import type { Ground } from "./follower.ts";
import { applyStep, type Present, summarize } from "./history.ts";
import { isEnd, type Link } from "./link.ts";
import { Violation } from "./mirror.ts";

/** The options of a reporter's Hello. */
export interface Manner {
  readonly grace?: number;
  readonly takeover?: boolean;
  /** Whether to show the latest key that a client got for the name. */
  readonly resume?: boolean;
}

/** A client in the map, with or without a name. */
export class Reporter {
  readonly name: string | null;
  /** The last state it has sent on this connection. */
  state: string | null = null;
  lists = 0;
  link: Link | null = null;
  readonly #ground: Ground;
  readonly #keys: Map<string, string>;

  constructor(ground: Ground, name: string | null, keys: Map<string, string>) {
    this.#ground = ground;
    this.name = name;
    this.#keys = keys;
  }

  get isConnected(): boolean {
    return this.link !== null && !this.link.isEnded;
  }

  /** Connects and sends a Hello. */
  connect({ grace, takeover, resume }: Manner): void {
    const link = this.link = this.#ground.connect();
    this.state = null;
    const key = resume && this.name !== null ? this.#keys.get(this.name) : undefined;
    link.request(4, this.name === null ? {} : { name: this.name, grace, takeover, resume: key });
    void this.#receive(link, () => this.#readGreeting(link));
  }

  open(state: string): void {
    this.state = state;
    this.#request((link) => link.message(0, state), (link) => link.readDone());
  }

  update(state: string): void {
    this.state = state;
    this.link?.message(2, state);
  }

  list(prefix: string): void {
    const { history } = this.#ground;
    const map = new Map(history.map);
    const from = history.revision;
    this.#request((link) => link.request(6, { prefix }), async (link) => {
      this.#checkList(await link.readPayload() ?? new Uint8Array(), prefix, map, from);
    });
  }

  close(): void {
    this.#request((link) => link.send(42, 1), async (link) => {
      await link.readDone();
      link.cut(false);
    });
    this.link = null;
  }

  cut(isCrash: boolean): void {
    this.link?.cut(isCrash);
    this.link = null;
  }

  /** Replies are read in the order of their requests. */
  #receiving: Promise<void> = Promise.resolve();

  #request(ask: (link: Link) => void, read: (link: Link) => Promise<void>): void {
    const { link } = this;
    if (link === null || link.isEnded) return;
    ask(link);
    void this.#receive(link, () => read(link));
  }

  #receive(link: Link, read: () => Promise<void>): Promise<void> {
    return this.#receiving = this.#receiving.then(async () => {
      try {
        if (!link.isEnded) await read();
      } catch (error) {
        if (!isEnd(error)) this.#ground.fail(error);
        else if (link.refusal !== null && !["NAME_TAKEN", "TAKEN_OVER", "SHUTTING_DOWN"].includes(link.refusal)) {
          this.#ground.fail(new Violation(`a client was refused with ${link.refusal}`));
        }
        link.cut(false);
      }
    });
  }

  async #readGreeting(link: Link): Promise<void> {
    await link.readDone();
    const greeting: Greeting = JSON.parse(textOf(await link.readPayload() ?? new Uint8Array()));
    if (greeting.id !== this.name) throw new Violation(`${this.name} was granted the name ${greeting.id}`);
    if (this.name !== null && greeting.resume !== null) this.#keys.set(this.name, greeting.resume);
  }

  /** Checks that a List is the map at its revision. */
  #checkList(payload: Uint8Array, prefix: string, map: Map<string, Present>, from: number): void {
    const { history } = this.#ground;
    const { revision, records } = decodeList(payload);
    for (let at = from + 1; at <= revision; at++) applyStep(map, history.at(at));
    const matching = [...map].filter(([id]) => id.startsWith(prefix));
    const expected = JSON.stringify(matching.map(([id, { state, status }]) => [id, state, status]));
    const got = JSON.stringify(records.map(({ id, state, status }) => [id, summarize(state), status]));
    if (expected !== got) throw new Violation(`the list at revision ${revision} is ${got}, not ${expected}`);
    this.lists++;
  }
}
