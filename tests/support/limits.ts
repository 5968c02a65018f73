import type { SessionLimits } from "../../lib/session.ts";

/** Limits that no test reaches unless it means to. */
export const LIMITS: SessionLimits = {
  maxState: 65_536,
  messageTimeout: 10_000,
  idleTimeout: 0,
  maxUnsent: 2 ** 20,
  writeTimeout: 5_000,
  maxSuspects: 100,
};
