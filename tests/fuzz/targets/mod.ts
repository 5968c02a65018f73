/**
 * All targets.
 *
 * @module
 */

import type { Target } from "../target.ts";
import { codecTarget } from "./codec.ts";
import { commandLineTarget } from "./command_line.ts";
import { framesTarget } from "./frames.ts";
import { helloTarget } from "./hello.ts";
import { networkTarget } from "./network.ts";
import { repliesTarget } from "./replies.ts";
import { sessionTarget } from "./session.ts";
import { tokensTarget } from "./tokens.ts";

/** All targets, in the order in which they are fuzzed. */
export const TARGETS: readonly Target[] = [
  codecTarget,
  repliesTarget,
  framesTarget,
  helloTarget,
  tokensTarget,
  networkTarget,
  commandLineTarget,
  sessionTarget,
];
