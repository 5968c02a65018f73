/**
 * Every case, in the order they run.
 *
 * @module
 */

import type { Case } from "../measurement.ts";
import { bigMap } from "./big_map.ts";
import { churn } from "./churn.ts";
import { fanIn } from "./fan_in.ts";
import { growth } from "./growth.ts";
import { memory } from "./memory.ts";
import { pipelined } from "./pipelined.ts";
import { request } from "./request.ts";
import { stalled } from "./stalled.ts";
import { start } from "./start.ts";
import { watch } from "./watch.ts";

/** Every case. */
export const CASES: readonly Case[] = [pipelined, request, fanIn, bigMap, memory, churn, growth, start, watch, stalled];
