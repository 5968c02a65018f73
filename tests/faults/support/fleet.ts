/**
 * Many clients of the library that come back by themselves, and when they try to.
 *
 * @module
 */

import { connect, type ConnectOptions, dial } from "../../../mod.ts";
import { job, questions, tell } from "./talk.ts";

/** What the helper is told to do. */
export interface FleetJob {
  hostname?: string;
  port: number;
  count: number;
  options?: ConnectOptions;
}

/** How the fleet is. */
export interface FleetState {
  open: number;
  /** Clients that were refused for good, and why. */
  closed: string[];
  /** When each attempt to connect was made since the fleet was last complete, by the clock, in milliseconds. */
  attempts: number[];
  /** When each client was back, by the clock, in milliseconds. */
  back: number[];
  /** When connections were lost, by the clock, in milliseconds. */
  lost: number[];
  /** Why they were lost, and how often. */
  reasons: Record<string, number>;
  /** When something was read last, and written, by the clock, in milliseconds. */
  readAt: number;
  wroteAt: number;
}

/** How many connect at once in the beginning. */
const WAVE = 100;

const state: FleetState = { open: 0, closed: [], attempts: [], back: [], lost: [], reasons: {}, readAt: 0, wroteAt: 0 };

async function start({ hostname = "127.0.0.1", port, options = {} }: FleetJob, number: number): Promise<void> {
  const client = await connect({
    reconnect: true,
    name: `fleet-${number}`,
    state: `state ${number}`,
    ...options,
    dial: async (signal, timeout) => {
      state.attempts.push(Date.now());
      const connection = await dial(hostname, port, signal, timeout);
      return {
        read: async (buffer) => {
          const count = await connection.read(buffer);
          state.readAt = Date.now();
          return count;
        },
        write: async (bytes) => {
          const count = await connection.write(bytes);
          state.wroteAt = Date.now();
          return count;
        },
        close: () => connection.close(),
      };
    },
  });
  state.open++;
  let wasOpen = true;
  client.onStatus(({ status, error }) => {
    const isOpen = status === "open";
    if (isOpen && !wasOpen) state.back.push(Date.now());
    if (!isOpen && wasOpen) {
      state.lost.push(Date.now());
      const code = error?.code ?? "none";
      state.reasons[code] = (state.reasons[code] ?? 0) + 1;
    }
    state.open += Number(isOpen) - Number(wasOpen);
    wasOpen = isOpen;
    if (status === "closed") state.closed.push(error?.message ?? "closed");
  });
}

if (import.meta.main) {
  const work = job<FleetJob>();
  for (let begun = 0; begun < work.count; begun += WAVE) {
    const wave = Array.from({ length: Math.min(WAVE, work.count - begun) }, (_, index) => start(work, begun + index));
    await Promise.all(wave);
  }
  state.attempts = [];
  tell(state);
  for await (const _ of questions()) tell(state);
  Deno.exit(0);
}
