/**
 * All operations of a round.
 *
 * @module
 */

import { beRefused, comeBack, openNamed, openNumbered, openSteady, takeOver } from "./comings.ts";
import { attack, fragment, nonsense, slowness, standstill, stream, web } from "./faults.ts";
import { breakSteady, close, end, fallSilent, reset } from "./goings.ts";
import type { Operation } from "./operation.ts";
import { attach, detach, stall } from "./watching.ts";
import { burst, flood, get, list, openAgain, ping, update } from "./work.ts";

/** Operations that bring the first clients. */
export const OPENINGS: readonly Operation[] = [openNumbered, openNamed, openSteady];

/** All operations. */
export const OPERATIONS: readonly Operation[] = [
  ...OPENINGS,
  comeBack,
  takeOver,
  beRefused,
  close,
  end,
  reset,
  breakSteady,
  fallSilent,
  update,
  burst,
  openAgain,
  get,
  list,
  ping,
  flood,
  stall,
  detach,
  attach,
  nonsense,
  web,
  stream,
  attack,
  fragment,
  slowness,
  standstill,
];
