/**
 * What all sessions of one server share: the map and what belongs to it, their limits, and what they lend each other.
 *
 * @module
 */

import type { AccessRules } from "../auth/access.ts";
import { Deadline, Deadlines } from "../base/deadlines.ts";
import { Feed } from "../feed/feed.ts";
import { EventWriter } from "../wire/event_writer.ts";
import { ListWriter } from "../wire/list_writer.ts";
import type { Stats } from "../wire/stats.ts";
import { Counters } from "./counters.ts";
import { Names } from "../map/names.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import { Pool } from "../base/pool.ts";
import type { Dialect } from "../protocol.ts";
import type { Registry } from "../map/registry.ts";
import { VERSION } from "../version.ts";

/** Size of a quiet connection's read buffer, in bytes. Most clients never send more at once. */
export const QUIET_BUFFER = 512;

/** Size of the read buffer that a busy connection borrows, in bytes. Only a longer message makes a larger one. */
export const BUSY_BUFFER = 131_072;

/** What the context wants of a session. */
export interface Sweepable {
  /** Gives the client up if it has taken nothing of what it is sent for too long. */
  checkProgress(): void;
}

/** What all sessions of a server share. */
export interface SessionContext {
  /** The map they commit to. */
  readonly registry: Registry;
  /** The dialect they insist on, or `"auto"`. */
  readonly dialect: Dialect | "auto";
  /** Longest state they take, in bytes. */
  readonly maxState: number;
  /** How long a message that has begun may take, in milliseconds. */
  readonly messageTimeout: number;
  /** How long a client may be silent, in milliseconds. */
  readonly idleTimeout: number;
  /** How long a client may take nothing of what it is sent, in milliseconds. */
  readonly writeTimeout: number;
  /** How long a client may take to agree on TLS and to show its token, in milliseconds. */
  readonly handshakeTimeout: number;
  /** Most bytes of changes a watcher may be behind while it takes nothing. */
  readonly maxUnsent: number;
  /** Most bytes of all states together. */
  readonly maxTotalState: number;
  /** Most connections that watch. */
  readonly maxWatchers: number;
  /** Most messages a second of one connection; 0 for any number. */
  readonly messageRate: number;
  /** What is asked of those who connect; `null` for nothing. */
  readonly rules: AccessRules | null;
  /** When it was made, on the monotonic clock, in milliseconds. */
  readonly startedAt: number;
  /** What is counted. */
  readonly counters: Counters;
  /** The sessions that have not ended. */
  readonly sessions: Set<Sweepable>;
  /** Looks from time to time for clients that take nothing of what they are sent. */
  readonly sweep: Deadline;
  /** What ends all that takes too long. */
  readonly deadlines: Deadlines;
  /** Who holds which name. */
  readonly names: Names;
  /** What watchers are told. */
  readonly feed: Feed;
  /** Lent to one session after another for a pong. */
  readonly events: EventWriter;
  /** Lent to one session after another for a list. */
  readonly lists: ListWriter;
  /** Read buffers for connections that wait. */
  readonly quietBuffers: Pool<Uint8Array<ArrayBuffer>>;
  /** Read buffers on loan to connections while they are busy. */
  readonly busyBuffers: Pool<Uint8Array<ArrayBuffer>>;
  /** Buffers for replies, each on loan only while there is something to write. */
  readonly outputs: Pool<ByteBuffer>;
}

/** The limits of a {@linkcode SessionContext}. */
export interface SessionLimits {
  /** The dialect to insist on; default `"auto"`. */
  dialect?: Dialect | "auto";
  /** Longest state, in bytes. */
  maxState: number;
  /** How long a message that has begun may take, in milliseconds; 0 for as long as it likes. */
  messageTimeout: number;
  /** How long a client may be silent, in milliseconds; 0 for as long as it likes. */
  idleTimeout: number;
  /** How long a client may take nothing of what it is sent, in milliseconds; 0 for as long as it likes. */
  writeTimeout: number;
  /** How long a client may take to agree on TLS and to show its token, in milliseconds; 0 for as long as it likes. */
  handshakeTimeout: number;
  /** Most bytes of changes a watcher may be behind while it takes nothing. */
  maxUnsent: number;
  /** Most bytes of all states together. */
  maxTotalState: number;
  /** Most connections that watch. */
  maxWatchers: number;
  /** Most messages a second of one connection; 0 for any number. */
  messageRate: number;
  /** Most named clients whose connection has ended and who are waited for. */
  maxSuspects: number;
}

/** A client that takes nothing is found at most this part of the time allowed too late. */
const SWEEPS = 4;

/**
 * Counts a session in, and looks after it from now on.
 *
 * @param context What it shares with the others
 * @param session The session
 */
export function trackSession({ sessions, sweep, deadlines, writeTimeout }: SessionContext, session: Sweepable): void {
  sessions.add(session);
  if (!sweep.armed) deadlines.arm(sweep, writeTimeout / SWEEPS);
}

/**
 * Makes what the sessions of one server share.
 *
 * @param registry The map they commit to
 * @param limits Their limits
 * @param rules What is asked of those who connect; nothing unless given
 * @returns The context; {@linkcode closeSessionContext} must be called when the last session has ended
 */
export function createSessionContext(
  registry: Registry,
  limits: SessionLimits,
  rules: AccessRules | null = null,
): SessionContext {
  const deadlines = new Deadlines();
  const sessions = new Set<Sweepable>();
  const { maxSuspects, dialect = "auto", ...numbers } = limits;
  const sweep = new Deadline(() => {
    for (const session of sessions) session.checkProgress();
    if (sessions.size !== 0) deadlines.arm(sweep, limits.writeTimeout / SWEEPS);
  });
  return {
    ...numbers,
    registry,
    dialect,
    rules,
    deadlines,
    sessions,
    sweep,
    startedAt: performance.now(),
    counters: new Counters(),
    names: new Names(registry, deadlines, maxSuspects),
    feed: new Feed(registry, () => new EventWriter()),
    events: new EventWriter(),
    lists: new ListWriter(),
    quietBuffers: new Pool(256, () => new Uint8Array(QUIET_BUFFER)),
    busyBuffers: new Pool(16, () => new Uint8Array(BUSY_BUFFER)),
    outputs: new Pool(64, () => new ByteBuffer()),
  };
}

/**
 * Takes the clients that were being waited for out of the map, and stops the timer.
 *
 * @param context The context whose sessions have all ended
 */
export function closeSessionContext({ names, deadlines }: SessionContext): void {
  names.clear();
  deadlines.clear();
}

/**
 * How the server is doing.
 *
 * @param context What its sessions share
 * @returns What it has counted, and what it holds now
 */
export function statsOf(context: SessionContext): Stats {
  const { registry, counters, names, feed, sessions, deadlines, startedAt } = context;
  const round = (milliseconds: number) => Math.round(milliseconds * 10) / 10;
  return {
    version: VERSION,
    incarnation: registry.incarnation,
    uptime: Math.round(performance.now() - startedAt),
    revision: registry.revision,
    now: {
      connections: sessions.size,
      clients: registry.size,
      suspects: names.suspects,
      watchers: feed.size,
      stateBytes: registry.stateBytes,
    },
    ...counters.counted,
    conflated: feed.conflated,
    lag: { last: round(deadlines.lag.last), worst: round(deadlines.lag.worst) },
  };
}
