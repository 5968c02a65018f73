/**
 * Clients that are reset: each sends part of a message and vanishes with an RST. Only the C library can send one, so
 * this helper needs `--allow-ffi`.
 *
 * @module
 */

import { connect, reset, sendAll } from "../../bench/load/libc.ts";
import { job, questions, tell } from "./talk.ts";

/** A job for the helper. */
export interface ResetJob {
  port: number;
}

/** The bytes that each of some clients sends; or the order to reset all clients that were not reset at once. */
export type ResetQuestion = { parts: number[][]; atOnce: boolean } | "reset";

if (import.meta.main) {
  const { port } = job<ResetJob>();
  let kept: number[] = [];
  tell({});
  for await (const question of questions<ResetQuestion>()) {
    if (question === "reset") {
      for (const descriptor of kept) reset(descriptor);
      kept = [];
    } else {
      for (const part of question.parts) {
        const descriptor = connect(port);
        sendAll(descriptor, Uint8Array.from(part));
        if (question.atOnce) reset(descriptor);
        else kept.push(descriptor);
      }
    }
    tell({});
  }
}
