import { assertEquals } from "@std/assert";
import { type Greeting, type HelloRequest, type ListReply, Registry } from "../../../mod.ts";
import { decodeEvents, decodeList } from "../../../lib/wire/mod.ts";
import type { WatchEvent } from "../../../lib/wire/mod.ts";
import { closeSessionContext, createSessionContext } from "../../../lib/server/context.ts";
import type { SessionContext, SessionLimits } from "../../../lib/server/context.ts";
import type { SessionEvent } from "../../../lib/server/events.ts";
import { Session } from "../../../lib/server/session.ts";
import type { AccessRules } from "../../../lib/auth/access.ts";
import { ByteClient } from "../../support/byte_client.ts";
import { bytesOf, readToEnd, textOf } from "../../support/bytes.ts";
import { LIMITS } from "../../support/limits.ts";
import { createPair, type MemoryConnection } from "../../support/memory.ts";

/** Options for {@linkcode SessionHost.connect}. */
export interface PeerOptions {
  /** Called with the events of the peer's session. */
  onEvent?: (event: SessionEvent) => void;
  /** With a seed, reads and writes are cut short at random. */
  seed?: number;
}

/** The sessions of a server without sockets. */
export class SessionHost implements AsyncDisposable {
  readonly registry: Registry;
  readonly events: SessionEvent[] = [];
  readonly #context: SessionContext;
  readonly #peers: SessionPeer[] = [];

  constructor(
    limits: Partial<SessionLimits> = {},
    registry: Registry = new Registry(),
    rules: AccessRules | null = null,
  ) {
    this.registry = registry;
    this.#context = createSessionContext(registry, { ...LIMITS, ...limits }, rules);
  }

  get map(): string {
    return textOf(this.registry.flatten());
  }

  /** What was counted. */
  get counted(): SessionContext["counters"]["counted"] {
    return this.#context.counters.counted;
  }

  /** Memory of frames that watchers have not taken, in bytes. */
  get heldMemory(): number {
    return this.#context.feed.held;
  }

  connect(options: PeerOptions = {}): SessionPeer {
    const peer = this.connectOnce(options);
    this.#peers.push(peer);
    return peer;
  }

  /** Connects a peer that the test ends by itself. */
  connectOnce({ onEvent, seed }: PeerOptions = {}): SessionPeer {
    const [client, server] = createPair(seed);
    const session = new Session(server, this.#context, {
      onEvent: (_peer, event) => {
        this.events.push(event);
        onEvent?.(event);
      },
    });
    return new SessionPeer(client, session);
  }

  /** Connects, and says Hello. */
  async greet(request: HelloRequest = {}): Promise<SessionPeer> {
    const peer = this.connect();
    await peer.hello(request);
    return peer;
  }

  /** Connects, says Hello and watches. */
  async watch(request: unknown = {}): Promise<SessionPeer> {
    const peer = await this.greet();
    await peer.watch(request);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session, ended } of this.#peers) {
      session.abort();
      await ended;
    }
    closeSessionContext(this.#context);
    for (const { connection } of this.#peers) if (!connection.closed) connection.close();
  }
}

/** A client of one session, and the session itself. */
export class SessionPeer extends ByteClient<MemoryConnection> {
  /** The answer to its last Hello. */
  greeting!: Greeting;
  readonly session: Session;
  /** Resolves when the session has ended. */
  readonly ended: Promise<void>;

  constructor(connection: MemoryConnection, session: Session) {
    super(connection);
    this.session = session;
    this.ended = session.run();
  }

  override async hello(request: unknown = {}): Promise<Greeting> {
    return this.greeting = await super.hello(request);
  }

  /** Closes the connection without a Close, and waits until the server has noticed. */
  async vanish(): Promise<void> {
    this.close();
    await this.ended;
  }

  /** Sends a Close, and waits until the server has ended the session. */
  async leave(): Promise<void> {
    await this.send(42, 1);
    assertEquals(await readToEnd(this.connection), bytesOf(1));
    await this.vanish();
  }

  async list(request: unknown = {}): Promise<ListReply> {
    await this.request(6, request);
    return decodeList(await this.readPayload());
  }

  /** Reads the events of one frame. */
  async readFrame(): Promise<WatchEvent[]> {
    return decodeEvents(await this.readPayload());
  }

  /** Reads frames up to the first event of a kind. */
  async readUntil(kind: WatchEvent["kind"]): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (!events.some((event) => event.kind === kind)) events.push(...await this.readFrame());
    return events;
  }

  /** Reads frames up to the first event of a kind, and summarizes their events. */
  async seeUntil(kind: WatchEvent["kind"]): Promise<string[]> {
    return (await this.readUntil(kind)).map(summarize);
  }

  /** Reads to the end of the stream, and finds the code of the error reply there. */
  async readErrorCode(): Promise<string> {
    const text = textOf(await readToEnd(this.connection));
    return /\0[^]([A-Z_]+): [^]*$/.exec(text)?.[1] ?? `no error in ${JSON.stringify(text)}`;
  }
}

/** Summarizes an event in a few words. */
export function summarize(event: WatchEvent): string {
  const words: unknown[] = [event.revision, event.kind];
  if ("id" in event) words.push(event.id);
  if ("status" in event) words.push(event.status);
  if ("state" in event) words.push(textOf(event.state));
  if ("cause" in event) words.push(event.cause);
  return words.join(" ");
}

/** One session and its client, on a server of their own. */
export class SessionBench extends SessionHost {
  readonly peer: SessionPeer;

  constructor(limits: Partial<SessionLimits> = {}, seed?: number) {
    super(limits);
    this.peer = this.connect(seed === undefined ? {} : { seed });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    assertEquals(this.registry.size, 0);
  }
}
