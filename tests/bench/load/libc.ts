/**
 * The system calls of the load generator, called directly.
 *
 * A generator on `Deno.TcpConn` costs as much per message as the server it drives: one promise and one trip through
 * the event loop for each read and each write, so it would measure itself. A foreign call costs about a tenth of a
 * microsecond and nothing else, which leaves the kernel's own work. Linux only, as are the figures read from `/proc`.
 *
 * Sockets block, and the calls that must not say so one by one (`MSG_DONTWAIT`). `errno` is not read: another call of
 * the runtime may have changed it. A call that was told not to wait and did nothing is taken for "not now"; a broken
 * connection shows itself as an event of its own.
 *
 * @module
 */

const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // These return 64 bits, but no call here moves 2 GiB, and 32 bits are a plain number instead of a BigInt.
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  usleep: { parameters: ["u32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
}).symbols;

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;

/** Time limit of a blocking call, in seconds: a hanging server must not hang the benchmark. */
const PATIENCE = 10;

const one = new Uint8Array(Int32Array.of(1).buffer);
const noLinger = new Uint8Array(Int32Array.of(1, 0).buffer);
const patience = new Uint8Array(BigInt64Array.of(BigInt(PATIENCE), 0n).buffer);

/**
 * Connects to a port of this machine.
 *
 * @param port The port
 * @returns The socket's descriptor
 */
export function connect(port: number): number {
  const descriptor = libc.socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0) throw new Error("Cannot make socket: the system has no descriptor left");
  libc.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, one, 4);
  libc.setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, patience, 16);
  libc.setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, patience, 16);
  const address = Uint8Array.of(AF_INET, 0, port >>> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  if (libc.connect(descriptor, address, address.length) !== 0) throw new Error(`Cannot connect to port ${port}`);
  return descriptor;
}

/**
 * Sends without waiting.
 *
 * @param descriptor The socket
 * @param bytes The bytes to send
 * @returns Number of bytes taken; 0 if there is no room
 */
export function send(descriptor: number, bytes: Uint8Array<ArrayBuffer>): number {
  return Math.max(0, libc.send(descriptor, bytes, BigInt(bytes.length), MSG_DONTWAIT | MSG_NOSIGNAL));
}

/**
 * Sends everything, waiting for room if necessary.
 *
 * @param descriptor The socket
 * @param bytes The bytes to send
 */
export function sendAll(descriptor: number, bytes: Uint8Array<ArrayBuffer>): void {
  for (let sent = 0; sent < bytes.length;) {
    const count = libc.send(descriptor, bytes.subarray(sent), BigInt(bytes.length - sent), MSG_NOSIGNAL);
    if (count <= 0) throw new Error("Cannot send: the server has closed the connection, or does not read");
    sent += count;
  }
}

/**
 * Receives available bytes without waiting.
 *
 * @param descriptor A socket that an event reported as readable
 * @param buffer Receives the bytes
 * @returns Number of bytes received; 0 if there were none after all
 */
export function receive(descriptor: number, buffer: Uint8Array<ArrayBuffer>): number {
  const count = libc.recv(descriptor, buffer, BigInt(buffer.length), MSG_DONTWAIT);
  if (count === 0) throw new Error("Cannot receive: the server has closed the connection");
  return Math.max(0, count);
}

/**
 * Receives bytes, waiting for the first.
 *
 * @param descriptor The socket
 * @param buffer Receives the bytes
 * @returns Number of bytes received; 0 at the end of the stream
 */
export function receiveWaiting(descriptor: number, buffer: Uint8Array<ArrayBuffer>): number {
  const count = libc.recv(descriptor, buffer, BigInt(buffer.length), 0);
  if (count < 0) throw new Error(`Cannot receive: nothing came for ${PATIENCE} s, or the connection broke`);
  return count;
}

/** Ends the stream in this direction. */
export function closeWrite(descriptor: number): void {
  libc.shutdown(descriptor, SHUT_WR);
}

/** Closes the socket. */
export function close(descriptor: number): void {
  libc.close(descriptor);
}

/** Resets the connection, whatever is still under way. */
export function reset(descriptor: number): void {
  libc.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, noLinger, 8);
  libc.close(descriptor);
}

/** Sleeps, blocking everything else in this process. */
export function sleep(microseconds: number): void {
  libc.usleep(microseconds);
}

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** Interest in bytes to read, or the end of the stream. */
export const READABLE = 1;

/** Interest in room for bytes to send. */
export const WRITABLE = 4;

/** Most events to take at once. */
const EVENTS = 1_024;

// The kernel packs this structure on x86-64 only.
const EVENT_SIZE = Deno.build.arch === "x86_64" ? 12 : 16;
const EVENT_DATA = EVENT_SIZE - 8;

/** Waits for many sockets at once, each known by a number of the caller's choice. */
export class Poll implements Disposable {
  readonly #descriptor = libc.epoll_create1(0);
  readonly #events = new Uint8Array(EVENT_SIZE * EVENTS);
  readonly #eventsView = new DataView(this.#events.buffer);
  readonly #event = new Uint8Array(EVENT_SIZE);
  readonly #eventView = new DataView(this.#event.buffer);

  /** Starts waiting for a socket. */
  add(descriptor: number, number: number, interest: number): void {
    this.#control(EPOLL_CTL_ADD, descriptor, number, interest);
  }

  /** Changes the events to wait for. */
  change(descriptor: number, number: number, interest: number): void {
    this.#control(EPOLL_CTL_MOD, descriptor, number, interest);
  }

  /** Stops waiting for a socket. */
  remove(descriptor: number): void {
    this.#control(EPOLL_CTL_DEL, descriptor, 0, 0);
  }

  /**
   * Waits for events.
   *
   * @param milliseconds Time until something else is due; by default the time limit of a blocking call
   * @returns Number of events; {@linkcode numberAt} finds the socket of each
   */
  wait(milliseconds?: number): number {
    const count = libc.epoll_wait(this.#descriptor, this.#events, EVENTS, milliseconds ?? PATIENCE * 1_000);
    if (count === 0 && milliseconds === undefined) {
      throw new Error(`Cannot continue: the server did nothing for ${PATIENCE} s`);
    }
    return Math.max(0, count);
  }

  /** Number of an event's socket. */
  numberAt(event: number): number {
    return this.#eventsView.getUint32(event * EVENT_SIZE + EVENT_DATA, true);
  }

  /** Whether an event reports something to read, including the end of the stream. */
  isReadableAt(event: number): boolean {
    return (this.#eventsView.getUint32(event * EVENT_SIZE, true) & READABLE) !== 0;
  }

  [Symbol.dispose](): void {
    libc.close(this.#descriptor);
  }

  #control(operation: number, descriptor: number, number: number, interest: number): void {
    this.#eventView.setUint32(0, interest, true);
    this.#eventView.setUint32(EVENT_DATA, number, true);
    if (libc.epoll_ctl(this.#descriptor, operation, descriptor, this.#event) !== 0) {
      throw new Error("Cannot wait for socket: it is closed");
    }
  }
}
