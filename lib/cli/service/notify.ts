/**
 * What a service tells systemd: that it is ready, that it stops, and again and again that it is alive. In a unit that
 * is `Type=notify` for the first two, and `WatchdogSec=` for the last.
 *
 * systemd listens on a Unix datagram socket. Deno has those only with `--unstable-net`, and sends from none that has
 * no file of its own: that one lies in the unit's `RuntimeDirectory=`. Where any of this is missing a line on standard
 * error says so, and the server goes on.
 *
 * @module
 */

import { LONGEST_TIMEOUT } from "../../base/deadlines.ts";
import { readEnvironment } from "../environment.ts";
import { complain } from "../terminal/output.ts";

/** The name of our own socket, in the directory that is the unit's. */
const OWN_SOCKET = "notify.sock";

/** Tells systemd how the server is doing; tells nobody where nobody wants to know. Never throws, never waits. */
export class Notifier {
  #socket: Socket | null = null;
  #watchdog: ReturnType<typeof setInterval> | undefined;

  /** Finds out from the environment whether systemd wants to know. */
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
   * Says that the server is ready, and from now on that it is alive, if that is watched.
   *
   * @param status What `systemctl status` is to show
   */
  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${status}`);
    const interval = watchdogInterval();
    if (this.#socket === null || interval === null) return;
    this.#watchdog = setInterval(() => this.#tell("WATCHDOG=1"), interval);
  }

  /**
   * Says that the server stops; it is still alive until it is closed.
   *
   * @param status What `systemctl status` is to show
   */
  stopping(status: string): void {
    this.#tell(`STOPPING=1\nSTATUS=${status}`);
  }

  /** Leaves nothing behind. */
  close(): void {
    clearInterval(this.#watchdog);
    this.#socket?.close();
    this.#socket = null;
  }

  #tell(message: string): void {
    // Nobody waits: a server does not stand still because whoever watches it does.
    this.#socket?.send(message).catch((error) => {
      // Whatever was under way when the socket was closed has failed too.
      if (this.#socket !== null) this.#giveUp(error);
    });
  }

  #giveUp(error: unknown): void {
    this.close();
    complain(`tracker: warning: Cannot notify systemd: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A datagram socket of our own, and the address of systemd's. */
class Socket {
  readonly #target: Deno.UnixAddr;
  readonly #path: string;
  readonly #connection: Deno.DatagramConn;

  constructor(target: string) {
    // An @ stands for the zero byte that an address begins with when it is no file.
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
    await this.#connection.send(new TextEncoder().encode(message), this.#target);
  }

  close(): void {
    this.#connection.close();
    removeFile(this.#path);
  }
}

/** Asking for the permission would make a prompt of a convenience. */
function mustReach(name: "read" | "write", path: string): void {
  if (Deno.permissions.querySync({ name, path }).state === "granted") return;
  throw new Error(`Deno was not given the permission (--allow-${name}=${path} grants it)`);
}

/** A socket's file outlives the socket, after a crash even the process. */
function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How often to say that we are alive, in milliseconds: twice in the time that is allowed, as sd_notify(3) advises. */
function watchdogInterval(): number | null {
  const microseconds = Number(readEnvironment("WATCHDOG_USEC"));
  const pid = readEnvironment("WATCHDOG_PID");
  if (!(microseconds > 0) || (pid !== undefined && Number(pid) !== Deno.pid)) return null;
  return Math.min(microseconds / 2_000, LONGEST_TIMEOUT);
}
