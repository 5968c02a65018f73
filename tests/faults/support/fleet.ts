/**
 * Many clients of the library that reconnect by themselves, and the times of their attempts.
 *
 * @module
 */

import { connect, type ConnectOptions, dial } from "../../../mod.ts";
import { job, questions, tell } from "./talk.ts";

/** A job for the helper. */
export interface FleetJob {
  hostname?: string;
  port: number;
  count: number;
  options?: ConnectOptions;
}

/** The state of the fleet. */
export interface FleetState {
  open: number;
  /** Reasons of clients that closed for good. */
  closed: string[];
  /** Wall-clock times of the attempts to connect since the fleet was last complete, in milliseconds. */
  attempts: number[];
  /** Wall-clock times at which clients were back, in milliseconds. */
  back: number[];
  /** Wall-clock times at which connections were lost, in milliseconds. */
  lost: number[];
  /** Number of losses by reason. */
  reasons: Record<string, number>;
  /** Wall-clock times of the last read and the last write, in milliseconds. */
  readAt: number;
  wroteAt: number;
}

/** Clients that connect at once at first. */
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
