/**
 * What a compiled Tracker may do: nothing but this, whoever runs it and however.
 *
 * @module
 */

/** A permission, as a flag of deno's, and why Tracker has it. */
export interface Permission {
  readonly flag: string;
  readonly reason: string;
}

/** The environment variables that a compiled Tracker may read. */
export const VARIABLES: Readonly<Record<string, string>> = {
  TRACKER_SERVER: "where the commands find the server",
  TRACKER_PORT: "where the server listens",
  NOTIFY_SOCKET: "where a service manager wants to hear that the server is ready",
  JOURNAL_STREAM: "whether a service manager keeps the log, and its time of each line",
};

/** All of them. */
export const PERMISSIONS: readonly Permission[] = [
  { flag: "--allow-net", reason: "to listen and to connect, on whatever address the user names" },
  { flag: `--allow-env=${Object.keys(VARIABLES).join(",")}`, reason: "to read these variables and no other" },
  { flag: "--no-prompt", reason: "to fail at once where a permission is missing: nobody is there to ask" },
];
