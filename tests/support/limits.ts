import type { SessionLimits } from "../../lib/server/context.ts";

/** Limits that no test reaches by accident. */
export const LIMITS: SessionLimits = {
  maxState: 65_536,
  messageTimeout: 10_000,
  idleTimeout: 0,
  maxUnsent: 2 ** 20,
  writeTimeout: 5_000,
  handshakeTimeout: 10_000,
  maxTotalState: 2 ** 28,
  maxWatchers: 1_000,
  messageRate: 0,
  maxSuspects: 100,
};
