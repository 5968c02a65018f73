/**
 * What all sessions of one server share: the map and what belongs to it, their limits, and what they lend each other.
 *
 * @module
 */

import type { AccessRules } from "../auth/access.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import { Deadline, Deadlines } from "../base/deadlines.ts";
import { Pool } from "../base/pool.ts";
import { Turns } from "../base/turns.ts";
import { TrackerError } from "../errors.ts";
import { Feed } from "../feed/feed.ts";
import { Names } from "../map/names.ts";
import type { Registry } from "../map/registry.ts";
import type { Dialect } from "../protocol.ts";
import { VERSION } from "../version.ts";
import { EventWriter } from "../wire/event_writer.ts";
import { ListWriter } from "../wire/list_writer.ts";
import type { Stats } from "../wire/stats.ts";
import { Counters } from "./counters.ts";
import type { PresenceContext } from "./presence.ts";
import { BUSY_BUFFER, QUIET_BUFFER, type ReadBufferPools } from "./read_buffer.ts";
import type { ReplyWriterContext } from "./reply_writer.ts";
import type { TimeLimits } from "./session_timers.ts";

/** A session, as the sweep sees it. */
export interface Sweepable {
  /** Gives the client up if it has left its output unread for too long. */
  checkProgress(): void;
}

/** Limits of every session of a server. */
export interface SessionLimits extends TimeLimits {
  /** The dialect to insist on. Default `"auto"`. */
  readonly dialect?: Dialect | "auto";
  /** Longest state, in bytes. */
  readonly maxState: number;
  /** How long a client may leave output unread, in milliseconds; 0 for no limit. */
  readonly writeTimeout: number;
  /** How far behind a watcher may be while it reads nothing, in bytes of changes. */
  readonly maxUnsent: number;
  /** Most bytes of all states together. */
  readonly maxTotalState: number;
  /** Most watchers. */
  readonly maxWatchers: number;
  /** Most messages a second of one connection; 0 for no limit. */
  readonly messageRate: number;
  /** Most names with a grace, for which they are kept after their connection has ended. */
  readonly maxSuspects: number;
}

/** What all sessions of a server share. */
export interface SessionContext extends SessionLimits, PresenceContext, ReadBufferPools, ReplyWriterContext {
  /** The dialect to insist on, or `"auto"`. */
  readonly dialect: Dialect | "auto";
  /** What clients must show to be let in; `null` when every client may do everything. */
  readonly rules: AccessRules | null;
  /** When it was made, on the monotonic clock, in milliseconds. */
  readonly startedAt: number;
  /** The sessions that have not ended. */
  readonly sessions: Set<Sweepable>;
  /** Looks from time to time for clients that leave their output unread. */
  readonly sweep: Deadline;
  /** What ends everything that takes too long. */
  readonly deadlines: Deadlines;
  /** What watchers are told. */
  readonly feed: Feed;
  /** That feed, and those that tell it in another format. */
  readonly feeds: Feed[];
  /** Whether the server takes no connections any more. */
  isStopping: boolean;
  /** Lent to one session after another for a pong. */
  readonly events: EventWriter;
  /** Lent to one session after another for a list. */
  readonly lists: ListWriter;
}

/** A client that reads nothing is found too late by at most this fraction of its time limit. */
const SWEEPS = 4;

/** How many sessions a sweep looks at before it looks at the clock. */
const SWEPT_PER_LOOK = 256;

/**
 * Adds a session to those that the sweep looks at.
 *
 * @param context What it shares with the others
 * @param session The session
 */
export function trackSession({ sessions, sweep, deadlines, writeTimeout }: SessionContext, session: Sweepable): void {
  sessions.add(session);
  if (!sweep.armed) deadlines.arm(sweep, writeTimeout / SWEEPS);
}

/**
 * Creates what the sessions of one server share.
 *
 * @param registry The map they commit to
 * @param limits Their limits
 * @param rules What clients must show to be let in; nothing unless given
 * @param turns How they share the event loop; unless given, they never wait for it, as is right without sockets
 * @returns The context; {@linkcode closeSessionContext} must be called when the last session has ended
 */
export function createSessionContext(
  registry: Registry,
  limits: SessionLimits,
  rules: AccessRules | null = null,
  turns: Turns = new Turns(() => Promise.resolve()),
): SessionContext {
  const deadlines = new Deadlines();
  const sessions = new Set<Sweepable>();
  const feed = new Feed(registry, () => new EventWriter(), { turns });
  return {
    ...limits,
    dialect: limits.dialect ?? "auto",
    registry,
    rules,
    turns,
    deadlines,
    sessions,
    sweep: createSweep({ deadlines, sessions, turns, writeTimeout: limits.writeTimeout }),
    startedAt: performance.now(),
    counters: new Counters(),
    names: new Names(registry, deadlines, limits.maxSuspects),
    feed,
    feeds: [feed],
    isStopping: false,
    events: new EventWriter(),
    lists: new ListWriter(),
    quietBuffers: new Pool(256, () => new Uint8Array(QUIET_BUFFER)),
    busyBuffers: new Pool(16, () => new Uint8Array(BUSY_BUFFER)),
    outputs: new Pool(64, () => new ByteBuffer()),
  };
}

/** Makes the deadline that looks at all sessions, a slice at a time, and then arms itself again. */
function createSweep(
  { deadlines, sessions, turns, writeTimeout }: Pick<
    SessionContext,
    "deadlines" | "sessions" | "turns" | "writeTimeout"
  >,
): Deadline {
  const sweep = new Deadline(async () => {
    let count = 0;
    for (const session of sessions) {
      session.checkProgress();
      if (++count % SWEPT_PER_LOOK === 0 && turns.isSpent) await turns.rest();
    }
    if (sessions.size !== 0) deadlines.arm(sweep, writeTimeout / SWEEPS);
  });
  return sweep;
}

/**
 * Takes suspect clients out of the map, and stops the timer.
 *
 * @param context The context whose sessions have all ended
 */
export function closeSessionContext({ names, deadlines }: SessionContext): void {
  names.clear();
  deadlines.clear();
}

/**
 * Makes sure that one more may watch, or wait for a change.
 *
 * @param context What the server's connections share
 * @param action What it wants to do, such as `watch`
 * @param waiting How many wait for a change and count as watchers too
 * @throws {TrackerError} TOO_MANY_CLIENTS if there are too many of them
 */
export function requireWatcherRoom(context: SessionContext, action: string, waiting = 0): void {
  const { maxWatchers } = context;
  if (watchersOf(context) + waiting < maxWatchers) return;
  const message = `Cannot ${action}: the limit of ${maxWatchers} watchers is reached`;
  throw new TrackerError("TOO_MANY_CLIENTS", message, { limit: "watchers" });
}

/** Counts those who watch, in whatever format. */
function watchersOf({ feeds }: SessionContext): number {
  return feeds.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Reports how the server is doing.
 *
 * @param context What its sessions share
 * @returns What it has counted, and what it holds now
 */
export function statsOf(context: SessionContext): Stats {
  const { registry, counters, names, feeds, sessions, deadlines, startedAt } = context;
  const round = (milliseconds: number) => Math.round(milliseconds * 10) / 10;
  return {
    version: VERSION,
    incarnation: registry.incarnation,
    uptime: Math.round(performance.now() - startedAt),
    revision: registry.revision,
    now: {
      connections: sessions.size,
      unauthorized: counters.unauthorized,
      clients: registry.size,
      suspects: names.suspects,
      watchers: watchersOf(context),
      stateBytes: registry.stateBytes,
    },
    ...counters.counted,
    conflated: feeds.reduce((sum, { conflated }) => sum + conflated, 0),
    lag: { last: round(deadlines.lag.last), worst: round(deadlines.lag.worst) },
  };
}
