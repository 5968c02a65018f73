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
  TRACKER_HOST: "the address that the server listens on",
  TRACKER_PORT: "the port that it listens on",
  TRACKER_TOKEN: "the token that the commands show to it",
  NOTIFY_SOCKET: "where a service manager wants to hear that the server is ready",
  RUNTIME_DIRECTORY: "where the server may put its own end of that",
  WATCHDOG_USEC: "how often the service manager wants to hear from it",
  WATCHDOG_PID: "whether that is meant for this process",
  JOURNAL_STREAM: "whether a service manager keeps the log, and its time of each line",
};

/** All of them. */
export const PERMISSIONS: readonly Permission[] = [
  { flag: "--allow-net", reason: "to listen and to connect, on whatever address the user names" },
  { flag: `--allow-env=${Object.keys(VARIABLES).join(",")}`, reason: "to read these variables and no other" },
  { flag: "--unstable-net", reason: "the service manager is spoken to in datagrams over a Unix socket" },
  {
    flag: "--allow-read",
    reason: "to read the files of tokens and certificates that the user names, and to have an end of that socket",
  },
  { flag: "--allow-write=/run/tracker,/run/systemd/notify", reason: "to make it, and to write to the other end" },
  { flag: "--no-prompt", reason: "to fail at once where a permission is missing: nobody is there to ask" },
];
