/**
 * Notifications to systemd: that the service is ready, that it is stopping, and repeatedly that it is alive. In a unit,
 * `Type=notify` asks for the first two and `WatchdogSec=` for the last.
 *
 * systemd listens on a Unix datagram socket. Deno has such sockets only with `--unstable-net`, and sends only from one
 * with a file of its own, which is put into the unit's `RuntimeDirectory=`. If any of this is missing, a line on standard
 * error says so and the server goes on.
 *
 * @module
 */

import { toBytes } from "../../base/bytes.ts";
import { LONGEST_TIMEOUT } from "../../base/deadlines.ts";
import { messageOf } from "../../errors.ts";
import { readEnvironment } from "../environment.ts";
import { complain } from "../terminal/output.ts";

/** The name of our own socket, in the unit's directory. */
const OWN_SOCKET = "notify.sock";

/** Notifies systemd, if the environment asks for it. Never throws, never waits. */
export class Notifier {
  #socket: Socket | null = null;
  #watchdog: ReturnType<typeof setInterval> | undefined;

  /** Finds in the environment where systemd listens, if it does. */
  constructor() {
    const target = readEnvironment("NOTIFY_SOCKET");
    if (target === undefined) return;
    try {
      this.#socket = new Socket(target);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /**
   * Reports that the server is ready, and from now on that it is alive if there is a watchdog.
   *
   * @param status The text that `systemctl status` shows
   */
  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${status}`);
    const interval = watchdogInterval();
    if (this.#socket === null || interval === null) return;
    this.#watchdog = setInterval(() => this.#tell("WATCHDOG=1"), interval);
  }

  /**
   * Reports that the server is stopping; it is reported alive until {@linkcode close}.
   *
   * @param status The text that `systemctl status` shows
   */
  stopping(status: string): void {
    this.#tell(`STOPPING=1\nSTATUS=${status}`);
  }

  /** Stops the reports and removes the socket. */
  close(): void {
    clearInterval(this.#watchdog);
    this.#socket?.close();
    this.#socket = null;
  }

  #tell(message: string): void {
    // Not awaited: a server must not stand still because its supervisor does.
    this.#socket?.send(message).catch((error) => {
      // Sends that were pending when the socket was closed fail as well.
      if (this.#socket !== null) this.#giveUp(error);
    });
  }

  #giveUp(error: unknown): void {
    this.close();
    complain(`tracker: warning: Cannot notify systemd: ${messageOf(error)}`);
  }
}

/** Our own datagram socket, and the address of systemd's. */
class Socket {
  readonly #target: Deno.UnixAddr;
  readonly #path: string;
  readonly #connection: Deno.DatagramConn;

  constructor(target: string) {
    // An @ stands for the zero byte that begins an abstract address, which is no file.
    this.#target = { transport: "unixpacket", path: target.replace(/^@/, "\0") };
    const [directory] = readEnvironment("RUNTIME_DIRECTORY")?.split(":") ?? [];
    if (directory === undefined) throw new Error("RUNTIME_DIRECTORY is not set; the unit needs RuntimeDirectory=");
    if (Deno.listenDatagram === undefined) throw new Error("Deno was not started with --unstable-net");
    mustReach("read", directory);
    mustReach("write", directory);
    mustReach("write", this.#target.path);
    this.#path = `${directory}/${OWN_SOCKET}`;
    removeFile(this.#path);
    this.#connection = Deno.listenDatagram({ transport: "unixpacket", path: this.#path });
  }

  async send(message: string): Promise<void> {
    await this.#connection.send(toBytes(message), this.#target);
  }

  close(): void {
    this.#connection.close();
    removeFile(this.#path);
  }
}

/** Insists on a permission without asking for it, which would turn a convenience into a prompt. */
function mustReach(name: "read" | "write", path: string): void {
  if (Deno.permissions.querySync({ name, path }).state === "granted") return;
  throw new Error(`Deno was not given the permission (--allow-${name}=${path} grants it)`);
}

/** Removes a file if it exists. A socket's file outlives the socket, and after a crash the process. */
function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How often to report that we are alive, in milliseconds: twice in the time allowed, as sd_notify(3) advises. */
function watchdogInterval(): number | null {
  const microseconds = Number(readEnvironment("WATCHDOG_USEC"));
  const pid = readEnvironment("WATCHDOG_PID");
  if (!(microseconds > 0) || (pid !== undefined && Number(pid) !== Deno.pid)) return null;
  return Math.min(microseconds / 2_000, LONGEST_TIMEOUT);
}
