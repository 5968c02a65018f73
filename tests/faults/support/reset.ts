/**
 * Clients that are reset: each sends a part of what it wants to say, and vanishes with an RST. Only the C library can
 * be told to send one, for which this helper needs `--allow-ffi`.
 *
 * @module
 */

import { connect, reset, sendAll } from "../../bench/load/libc.ts";
import { job, questions, tell } from "./talk.ts";

/** What the helper is told to do. */
export interface ResetJob {
  port: number;
}

/** What each of some clients sends; or that all those that were not reset at once are reset now. */
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
