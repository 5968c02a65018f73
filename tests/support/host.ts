import { type Dial, type Duplex, Registry, TrackerError } from "../../mod.ts";
import { Session } from "../../lib/server/session.ts";
import { closeSessionContext, createSessionContext, type SessionContext } from "../../lib/server/context.ts";
import { textOf } from "./bytes.ts";
import { LIMITS } from "./limits.ts";
import { createPair, type MemoryConnection } from "./memory.ts";
import { untilMap } from "./bench.ts";

/** The client's end of a connection, which can fail as a cable does. */
class Cable implements Duplex {
  readonly #end: MemoryConnection;
  readonly #broken = Promise.withResolvers<never>();
  #isMute = false;
  #isHalfOpen = false;

  constructor(end: MemoryConnection) {
    this.#end = end;
    this.#broken.promise.catch(() => {});
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const count = await Promise.race([this.#end.read(buffer), this.#broken.promise]);
    return this.#isMute ? await this.#broken.promise : count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#isMute) return bytes.length;
    return await Promise.race([this.#end.write(bytes), this.#broken.promise]);
  }

  close(): void {
    this.#broken.reject(new Deno.errors.Interrupted("operation canceled"));
    if (!this.#isHalfOpen) this.#end.close();
  }

  /** Breaks the connection; both sides notice. */
  reset(): void {
    this.#end.reset();
  }

  /** Breaks the connection; only the client notices. */
  lose(): void {
    this.#isHalfOpen = true;
    this.#broken.reject(new Deno.errors.ConnectionReset("connection reset"));
  }

  /** Lets nothing through any more; neither side notices. */
  mute(): void {
    this.#isMute = this.#isHalfOpen = true;
  }

  /** Closes the server's half if it is still open. */
  dispose(): void {
    if (!this.#end.closed) this.#end.close();
  }
}

/** A server without sockets that can be cut off, go silent, and restart. */
export class MemoryHost implements AsyncDisposable {
  registry!: Registry;
  /** The number of attempts to connect. */
  dials = 0;
  /** Whether it refuses to connect. */
  isDown = false;
  readonly #seed: number | undefined;
  #context!: SessionContext;
  #cables: Cable[] = [];
  #sessions: { session: Session; ended: Promise<void> }[] = [];

  /** @param seed With a seed, reads and writes are cut short at random */
  constructor(seed?: number) {
    this.#seed = seed;
    this.#start();
  }

  readonly dial: Dial = () => {
    this.dials++;
    if (this.isDown) return Promise.reject(new TrackerError("CONNECTION_REFUSED", "Cannot connect: it is down"));
    const [near, far] = createPair(this.#seed === undefined ? undefined : this.#seed + this.dials);
    const session = new Session(far, this.#context);
    const cable = new Cable(near);
    this.#sessions.push({ session, ended: session.run() });
    this.#cables.push(cable);
    return Promise.resolve(cable);
  };

  get map(): string {
    return textOf(this.registry.flatten());
  }

  /** Breaks every connection; both sides notice. */
  cut(): void {
    for (const cable of this.#cables) cable.reset();
  }

  /** Breaks every connection; only the clients notice. */
  lose(): void {
    for (const cable of this.#cables) cable.lose();
  }

  /** Lets nothing through any more on the present connections; neither side notices. */
  mute(): void {
    for (const cable of this.#cables) cable.mute();
  }

  /** Crashes, and starts again with an empty map. */
  async restart(): Promise<void> {
    await this.#end();
    this.#start();
  }

  /** Waits until the map is as wanted. */
  async until(isWanted: (map: string) => boolean): Promise<void> {
    await untilMap(this.registry, () => isWanted(this.map));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  #start(): void {
    this.registry = new Registry();
    this.#context = createSessionContext(this.registry, LIMITS);
  }

  async #end(): Promise<void> {
    for (const { session } of this.#sessions) session.abort();
    await Promise.all(this.#sessions.map(({ ended }) => ended));
    closeSessionContext(this.#context);
    for (const cable of this.#cables.splice(0)) cable.dispose();
    this.#sessions = [];
  }
}
