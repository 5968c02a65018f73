/**
 * The permissions of a compiled Tracker, which are built in: nobody can add to them.
 *
 * @module
 */

/** A permission and its reason. */
export interface Permission {
  /** The flag of `deno compile` that grants it. */
  readonly flag: string;
  /** Why Tracker needs it. */
  readonly reason: string;
}

/** The environment variables that a compiled Tracker may read, and their meanings. */
export const VARIABLES: Readonly<Record<string, string>> = {
  TRACKER_SERVER: "the address of the server, for commands",
  TRACKER_HOST: "the address on which the server listens",
  TRACKER_PORT: "the port on which it listens",
  TRACKER_TOKEN: "the token that commands show to it",
  TERM: "whether the terminal can be drawn on",
  NOTIFY_SOCKET: "the socket on which a service manager listens for notifications",
  RUNTIME_DIRECTORY: "the directory for the server's own socket",
  WATCHDOG_USEC: "how often the service manager expects a sign of life",
  WATCHDOG_PID: "the process from which it expects that",
  JOURNAL_STREAM: "whether the log goes to a service manager, which records the time of each line",
};

/** Every permission. */
export const PERMISSIONS: readonly Permission[] = [
  { flag: "--allow-net", reason: "to listen and to connect, at any address that the user names" },
  { flag: `--allow-env=${Object.keys(VARIABLES).join(",")}`, reason: "to read these variables and no others" },
  { flag: "--unstable-net", reason: "to send notifications to the service manager, as datagrams over a Unix socket" },
  {
    flag: "--allow-read",
    reason: "to read the files of tokens and certificates that the user names, and to use its own Unix socket",
  },
  {
    flag: "--allow-write=/run/tracker,/run/systemd/notify",
    reason: "to create that socket, and to write to the service manager's",
  },
  { flag: "--no-prompt", reason: "to fail at once if a permission is missing, because a service cannot be asked" },
];
