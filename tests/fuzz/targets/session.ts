/**
 * Sessions: a few connections of one server, in memory, against a simple model of a server.
 *
 * @module
 */

import { DIALECTS, Registry } from "../../../mod.ts";
import { EMPTY } from "../../../lib/base/bytes.ts";
import type { Expiry } from "../../../lib/base/deadlines.ts";
import { Feed } from "../../../lib/feed/feed.ts";
import { EventWriter } from "../../../lib/wire/event_writer.ts";
import { Session } from "../../../lib/server/session.ts";
import { closeSessionContext, createSessionContext, type SessionContext } from "../../../lib/server/context.ts";
import { LIMITS } from "../../support/limits.ts";
import type { Random } from "../../support/random.ts";
import { mutateBytes, simplerBytes } from "../delivery.ts";
import { writeConversation, Writer } from "../grammar.ts";
import { readBytes, writeBytes } from "../notation.ts";
import { followWatch, latinOf, readOutput } from "../output.ts";
import type { Rules } from "../reference/messages.ts";
import { Model, ModelPeer, Unmodelled } from "../reference/server.ts";
import { mutateSequence, shorterSequences } from "../sequences.ts";
import { demand, type Note, type Target } from "../target.ts";
import { ManualConnection } from "../manual_connection.ts";

/** An action on one of the connections. */
interface Step {
  readonly peer: number;
  readonly act: "send" | "end" | "reset";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The actions on a server. */
interface Input extends Rules {
  /** Most bytes per read and per write. */
  readonly most: number;
  /** Number of clients with long states that are there already, so that a snapshot takes more than one frame. */
  readonly others: number;
  readonly steps: readonly Step[];
}

const PEERS = 4;

/** Always the same, so that a Watch can resume. */
const INCARNATION = "fuzzed";

/** Placeholder in an input for the key in the latest greeting, of the same length. */
const KEY = "the-key-of-the-latest-greeting--";

const HELLOS = [
  ...[
    '{"name":"a"}',
    '{"name":"a","takeover":true}',
    '{"name":"a","grace":60}',
    '{"name":"a","instance":"i","attempt":1}',
    '{"name":"a","instance":"i","grace":60,"attempt":2}',
    '{"name":"b","grace":60}',
    "{}",
  ],
  ...[`{"name":"a","resume":"${KEY}"}`, `{"name":"a","grace":60,"resume":"${KEY}"}`, '{"name":"client1"}'],
  ...['{"name":"a","heartbeat":1}', '{"heartbeat":3600}', "[]", ""],
];

const WATCHES = ['{"prefix":"a"}', '{"prefix":"client"}', "{}", '{"since":{"incarnation":"fuzzed","revision":1}}'];

const LISTS = [
  ...WATCHES,
  ...['{"status":"detached"}', '{"limit":1}', '{"after":"a"}', '{"prefix":"c","limit":0}', '{"count":true}'],
  ...['{"count":true,"status":"live"}', '{"details":true}', '{"details":true,"limit":2}'],
];

const PUTS = [
  ...['{"name":"a","for":60}', '{"name":"a","for":60,"takeover":true}', '{"name":"b","for":1}', '{"name":"c","for":9}'],
  ...['{"name":"b","for":60,"if":0}', '{"name":"a","for":60,"issued":5}', '{"name":"a"}', '{"name":"client1","for":9}'],
];

/** JSON of Drops, Kicks and Fetches. */
const REMOVALS = [
  ...['{"name":"a"}', '{"name":"a","takeover":true}', '{"name":"b","if":0}', '{"id":"a"}', '{"id":"b","for":60}'],
  ...['{"id":"client1"}', '{"id":"client2","for":9,"reason":"no"}', '{"id":"nobody"}', "{}"],
];

const MAGIC = 42;

/** More bytes than a greeting has here, `1` and length included. */
const LONGEST_GREETING = 512;

/** A frame of a snapshot ends after 65,536 bytes: two of these states fill one. */
const LONG_STATE = "s".repeat(40_000);

const writer = new Writer();

/** The target for sessions. */
export const sessionTarget: Target<Input> = {
  name: "session",
  covers: [
    ...["/lib/server/session.ts", "/lib/codec.ts", "/lib/map/names.ts", "/lib/map/registry.ts", "/lib/map/flat_map.ts"],
    ...["/lib/feed/feed.ts", "/lib/feed/watcher.ts", "/lib/feed/snapshot.ts", "/lib/feed/catch_up.ts"],
    ...["/lib/feed/catch_up_round.ts", "/lib/feed/change_log.ts", "/lib/feed/live.ts"],
  ],
  generate(random) {
    const steps = Array.from({ length: random.integer(1, 10) }, () => makeStep(random));
    const dialect = random.next() < 0.8 ? "auto" : random.pick(DIALECTS);
    // Long states are seldom, because they take long to compare.
    const others = random.next() < 0.02 ? 3 : 0;
    const most = others === 0 ? random.pick([1, 7, 1e6, 1e6]) : 1_000;
    return { dialect, maxState: random.pick([5, 300, 65_536]), most, others, steps };
  },
  mutate: (input, random) => ({
    ...input,
    steps: mutateSequence(input.steps, random, (step) => remakeStep(random, step)),
  }),
  check: (input, note) => new Case(input, note).play(),
  *simpler(input) {
    for (const steps of shorterSequences(input.steps)) yield { ...input, steps };
    for (const [at, step] of input.steps.entries()) {
      for (const bytes of simplerBytes(step.bytes)) yield { ...input, steps: input.steps.with(at, { ...step, bytes }) };
    }
  },
  write({ dialect, maxState, most, others, steps }) {
    const lines = steps.map(({ peer, act, bytes }) => `${peer} ${act} ${writeBytes(bytes)}`.trimEnd());
    return [`${dialect} ${maxState} ${most} ${others}`, ...lines].join("\n");
  },
  read(text) {
    const [first = "", ...lines] = text.split("\n");
    const [dialect, ...numbers] = first.split(" ");
    const [maxState = 0, most = 0, others = 0] = numbers.map(Number);
    const steps = lines.map((line) => {
      const [peer, act, ...bytes] = line.split(" ");
      return { peer: Number(peer), act: act as Step["act"], bytes: readBytes(bytes.join(" ")).bytes };
    });
    return { dialect: dialect as Rules["dialect"], maxState, most, others, steps };
  },
};

function makeStep(random: Random): Step {
  const peer = random.integer(0, PEERS - 1);
  const act = random.next() < 0.85 ? "send" : random.pick(["end", "reset"] as const);
  if (act !== "send") return { peer, act, bytes: EMPTY };
  if (random.next() < 0.4) writeExtended(random);
  else writeConversation(writer, random);
  const bytes = writer.take();
  // A message that is cut off here nearly always makes the next one invalid.
  return { peer, act, bytes: random.next() < 0.1 ? bytes.slice(0, random.integer(0, bytes.length)) : bytes };
}

function remakeStep(random: Random, step?: Step): Step {
  if (step === undefined || random.next() < 0.3) return makeStep(random);
  if (random.next() < 0.3) return { ...step, peer: random.integer(0, PEERS - 1) };
  return { ...step, bytes: mutateBytes(step.bytes, random) };
}

/** Writes a Hello, and perhaps more. */
function writeExtended(random: Random): void {
  if (random.next() < 0.7) writeJson(4, random.pick(HELLOS), random);
  if (random.next() < 0.7) writeShort(random.pick([0, 2]), random);
  for (let left = random.integer(0, 2); left > 0; left--) {
    const type = random.pick([5, 6, 7, 8, 9, 9, 10, 11, 12]);
    if (type === 5) writeJson(type, random.pick(WATCHES), random);
    else if (type === 6) writeJson(type, random.pick(LISTS), random);
    else if (type === 9) writePut(random);
    else if (type >= 10) writeJson(type, random.pick(REMOVALS), random);
    else for (const byte of [MAGIC, type]) writer.byte(byte);
  }
  if (random.next() < 0.4) writeShort(2, random);
}

function writeJson(type: number, json: string, random: Random): void {
  for (const byte of [MAGIC, type]) writer.byte(byte);
  writer.long(json.length, random);
  writer.text(json);
}

function writePut(random: Random): void {
  const json = random.pick(PUTS);
  const length = String.fromCharCode(json.length >> 8, json.length & 0xff);
  writeJson(9, length + json + random.pick(["", "x", "yy"]), random);
}

function writeShort(type: number, random: Random): void {
  writeJson(type, random.pick(["", "x", "yy", "a=b, c"]), random);
}

/** A connection, and its model. */
interface Peer {
  readonly connection: ManualConnection;
  readonly session: Session;
  readonly ended: Promise<void>;
  readonly model: ModelPeer;
  sent: number;
}

/** A run of one input, step by step. */
class Case {
  readonly #input: Input;
  readonly #note: Note;
  readonly #registry = new Registry({ incarnation: INCARNATION });
  readonly #context: SessionContext;
  readonly #model: Model;
  /** Connections that are open. */
  readonly #connected = new Map<number, Peer>();
  /** All connections, in the order they were made. */
  readonly #peers: Peer[] = [];
  readonly #armed = new Set<Expiry>();

  constructor(input: Input, note: Note) {
    this.#input = input;
    this.#note = note;
    this.#model = new Model(input);
    const { dialect, maxState } = input;
    const context = createSessionContext(this.#registry, { ...LIMITS, dialect, maxState });
    // Changes that are sent at once need no timer.
    this.#context = { ...context, feed: new Feed(this.#registry, () => new EventWriter(), { tick: 0 }) };
    this.#recordDeadlines();
    for (let index = 0; index < input.others; index++) {
      this.#registry.open(LONG_STATE, { id: `a-other-${index}` });
      this.#model.open(`a-other-${index}`, LONG_STATE);
    }
  }

  async play(): Promise<void> {
    try {
      for (const step of this.#input.steps) await this.#take(step);
      if (this.#model.clients.size !== 0) this.#note(`clients ${this.#model.clients.size} ${this.#model.suspects}`);
      if (this.#context.feed.size !== 0) await this.#compareWatchers();
      await this.#endAll();
      this.#demandNothingLeft();
    } catch (error) {
      if (!(error instanceof Unmodelled)) throw error;
    } finally {
      for (const { session } of this.#peers) session.abort();
      closeSessionContext(this.#context);
    }
    const left = [this.#registry.size, this.#context.names.suspects];
    demand(left.every((count) => count === 0), "no client is left when the server has ended");
  }

  #recordDeadlines(): void {
    const { deadlines } = this.#context;
    const arm = deadlines.arm.bind(deadlines);
    deadlines.arm = (deadline, duration) => {
      this.#armed.add(deadline);
      arm(deadline, duration);
    };
  }

  async #take({ peer: number, act, bytes }: Step): Promise<void> {
    const peer = this.#connected.get(number) ?? this.#connect(number);
    if (act === "send") await this.#send(peer, bytes);
    else await this.#finish(number, peer, act);
    demand(latinOf(this.#registry.flatten()) === this.#model.map, "the map is as in the model", () => {
      return `${latinOf(this.#registry.flatten())}, and ${this.#model.map}`;
    });
  }

  #connect(number: number): Peer {
    const connection = new ManualConnection(this.#input.most);
    const session = new Session(connection, this.#context);
    const peer: Peer = { connection, session, ended: session.run(), model: new ModelPeer(this.#model), sent: 0 };
    this.#connected.set(number, peer);
    this.#peers.push(peer);
    return peer;
  }

  async #send(peer: Peer, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const sent = withKey(bytes, this.#latestKey);
    peer.sent += sent.length;
    peer.model.receive(sent);
    await peer.connection.deliver(sent);
    this.#learnKeys();
    const { bufferSize } = peer.session;
    demand(
      bufferSize <= Math.max(512, 8 * peer.sent),
      "a buffer grows with the bytes received, not with the length claimed",
      () => {
        return `${bufferSize} after ${peer.sent} bytes`;
      },
    );
  }

  /** Ends a connection. An orderly end lets the server handle everything complete; a reset may come before that. */
  async #finish(number: number, { connection, model, ended }: Peer, act: "end" | "reset"): Promise<void> {
    this.#connected.delete(number);
    if (act === "end") model.receive(EMPTY, true);
    else if (model.isOpen) model.leave(true);
    connection[act]();
    await ended;
  }

  /** Tells the model the keys of names, which only the server's greetings contain. */
  #learnKeys(): void {
    for (const { model, connection } of this.#peers) {
      if (model.claim !== null && model.claim.key === undefined) model.claim.key = keyIn(connection);
    }
  }

  get #latestKey(): string | undefined {
    return this.#peers.map(({ connection }) => keyIn(connection)).findLast((key) => key !== undefined);
  }

  /** Compares watchers after a turn of the event loop, because they are not written to within the change itself. */
  async #compareWatchers(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    for (const { model, connection } of this.#peers) {
      if (model.watches === null || !model.isOpen || !model.watchesAll) continue;
      const known = followWatch(readOutput(connection.output, model.owed).events);
      const wanted = this.#model.recordsOf(model.watches).sort();
      demand(
        JSON.stringify(known) === JSON.stringify(wanted),
        "a watcher knows the map",
        () => `${known}, and ${wanted}`,
      );
    }
  }

  async #endAll(): Promise<void> {
    for (const entry of [...this.#registry.entries()].slice(0, this.#input.others)) this.#registry.close(entry);
    for (const [number, peer] of [...this.#connected]) await this.#finish(number, peer, "end");
    for (const { ended } of this.#peers) await ended;
    for (const { connection, model } of this.#peers) {
      if (connection.isBroken) continue;
      const { kinds } = readOutput(connection.output, model.owed);
      this.#note(kinds.slice(-3).join(" "));
      demand(kinds.length === model.owed.length, "every reply that is owed is sent", () => {
        return `${kinds.join(" ")}, and ${model.owed.map(({ kind }) => kind).join(" ")}`;
      });
    }
  }

  #demandNothingLeft(): void {
    const { sessions, feed, names, sweep } = this.#context;
    demand(sessions.size === 0, "no session is left");
    demand(feed.size === 0, "no watcher is left");
    demand(names.suspects === this.#model.suspects, "the number of suspects is as in the model");
    const running = [...this.#armed].filter((deadline) => deadline.armed && deadline !== sweep);
    const { detached } = this.#model;
    demand(
      running.length === names.suspects + detached + this.#model.bans.size,
      "no deadline is left except those of grace periods, detached entries and bans",
      () => `${running.length}`,
    );
  }
}

/** Finds the key in the greeting of a connection, its first reply; only a named client has one. */
function keyIn({ output }: ManualConnection): string | undefined {
  return /"resume":"([0-9a-f]{32})"/.exec(latinOf(output.slice(0, LONGEST_GREETING)))?.[1];
}

/** Replaces the placeholder by a key. */
function withKey(bytes: Uint8Array<ArrayBuffer>, key: string | undefined): Uint8Array<ArrayBuffer> {
  if (key === undefined) return bytes;
  return Uint8Array.from(latinOf(bytes).replaceAll(KEY, key), (character) => character.charCodeAt(0));
}
