import { Client, type PutOptions, Registry, TrackerError } from "../../mod.ts";
import { closeSessionContext, createSessionContext, type SessionContext } from "../../lib/server/context.ts";
import { Session } from "../../lib/server/session.ts";
import { textOf } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { Random } from "../support/random.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { BadLine } from "./bad_line.ts";
import { Violation } from "./mirror.ts";

/** What a simulation of identities has been through. */
export interface IdentityReport {
  seed: number;
  /** Virtual seconds. */
  seconds: number;
  connections: number;
  /** Connections whose Hello came too late and was refused for it. */
  superseded: number;
  /** Connections that took the name back from an earlier one of the same client. */
  takenBack: number;
  powerCuts: number;
  restarts: number;
  /** Puts that were answered, and those that came too late and were refused for it. */
  puts: number;
  late: number;
}

const DEVICES = 6;
const JOBS = 3;
const STEPS = 60;

/** Seconds. */
const HEARTBEAT = 4;

/** How long a call may take, in milliseconds. */
const TIMEOUT = 3_000;

const CAP = 2_000;

/** Within this time of calm a client that may be there must be, in milliseconds: a dead self is given up, and asked past. */
const BOUND = HEARTBEAT * 2_500 + 5_000 + 2 * (CAP + TIMEOUT);

/** Virtual time begins with the process; times since 1970 must be larger. */
const EPOCH = 1_700_000_000_000;

/**
 * Simulates devices that keep their names on a network that holds back, loses and breaks, while the server restarts and
 * they lose their power; and jobs that set states on such a network, again when an answer is lost.
 *
 * @param seed Determines everything that happens
 * @returns What has happened
 * @throws {Violation} if somebody was thrown out by his own past, or was not there in time, or something that was set
 *   earlier replaced something that was set later
 */
export async function simulateIdentity(seed: number): Promise<IdentityReport> {
  using time = new VirtualTime();
  const world = new World(seed, time);
  try {
    for (let step = 0; step < STEPS; step++) await world.step();
    await world.calm();
  } finally {
    await world.end();
  }
  world.throwFailure();
  if (time.running !== 0) throw new Violation(`${time.running} timers are left over`);
  return world.report;
}

/** A machine with a name. */
interface Device {
  readonly name: string;
  /** `null` while it has no power. */
  client: Client | null;
  lines: BadLine[];
  state: string;
  readonly held: Set<"up" | "down">;
}

/** A name whose state is set by whoever finds time. */
interface Job {
  readonly name: string;
  /** When the latest Put was issued that the server has confirmed since it started. */
  confirmed: number;
}

class World {
  readonly report: IdentityReport;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #devices: Device[] = [];
  readonly #jobs: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  #context: SessionContext | null = null;
  #sessions: { session: Session; ended: Promise<void>; line: BadLine }[] = [];
  #isEnding = false;
  #failure: unknown = null;
  #count = 0;

  constructor(seed: number, time: VirtualTime) {
    this.#time = time;
    this.#random = new Random(seed);
    const counts = { connections: 0, superseded: 0, takenBack: 0, powerCuts: 0, restarts: 0, puts: 0, late: 0 };
    this.report = { seed, seconds: 0, ...counts };
    this.#startServer();
    for (let at = 0; at < JOBS; at++) this.#jobs.push({ name: `job:${at}`, confirmed: 0 });
    for (let at = 0; at < DEVICES; at++) {
      const device: Device = { name: `pi:${at}`, client: null, lines: [], state: "", held: new Set() };
      this.#devices.push(device);
      this.#powerUp(device);
    }
  }

  get #now(): number {
    return EPOCH + this.#time.now;
  }

  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async step(): Promise<void> {
    const random = this.#random;
    for (let acts = random.integer(1, 4); acts > 0; acts--) this.#act(random.pick(this.#devices));
    if (random.next() < 0.4) this.#startPut(random.pick(this.#jobs));
    if (random.next() < 0.04) this.#restart();
    await this.#time.advance(random.pick([0, 3, 50, 400, 2_500, 6_000]));
    this.#check();
  }

  /** Mends the network, and demands that everybody is there in time. */
  async calm(): Promise<void> {
    for (const device of this.#devices) {
      for (const direction of [...device.held]) this.#hold(device, direction, false);
      if (device.client === null) this.#powerUp(device);
    }
    if (this.#context === null) this.#startServer();
    await this.#time.advance(BOUND);
    this.#check();
    const { registry } = this.#context!;
    for (const { name, client, state } of this.#devices) {
      const entry = registry.get(name);
      const found = entry === undefined ? "nothing" : `${entry.status} ${textOf(entry.state)}`;
      if (found === `live ${state}`) continue;
      throw new Violation(
        `${name} is ${client?.status}, and after ${BOUND} ms the map has ${found}, not live ${state}`,
      );
    }
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    this.report.seconds = Math.round(this.#time.now / 1_000);
    for (const { client } of this.#devices) client?.abort();
    for (const { lines } of this.#devices) for (const line of lines) line.reset();
    this.#stopServer();
    await this.#time.advance(120_000);
    await Promise.all(this.#running);
  }

  #act(device: Device): void {
    const random = this.#random;
    const dice = random.next();
    if (device.client === null) return;
    if (dice < 0.4) {
      device.state = `${++this.#count}`;
      void device.client.update(device.state).catch(() => {});
    } else if (dice < 0.7) {
      const direction = random.pick(["up", "down"] as const);
      this.#hold(device, direction, !device.held.has(direction));
    } else if (dice < 0.85) {
      for (const line of device.lines.splice(0)) line.reset();
    } else if (dice < 0.93) {
      this.#cutPower(device);
    }
  }

  /** Holds a direction of all lines of a device, those that it has given up among them, or lets it go. */
  #hold(device: Device, direction: "up" | "down", isHeld: boolean): void {
    if (isHeld) device.held.add(direction);
    else device.held.delete(direction);
    for (const line of device.lines) line.hold(direction, isHeld);
  }

  #cutPower(device: Device): void {
    this.report.powerCuts++;
    for (const line of device.lines.splice(0)) line.kill();
    device.client?.abort();
    device.client = null;
    setTimeout(
      () => this.#isEnding || device.client !== null || this.#powerUp(device),
      this.#random.integer(500, 6_000),
    );
  }

  #powerUp(device: Device): void {
    device.state = `${++this.#count}`;
    const client = device.client = new Client({
      name: device.name,
      state: device.state,
      heartbeat: HEARTBEAT,
      grace: this.#random.pick([0, 0, 5]),
      timeout: TIMEOUT,
      reconnect: { base: 200, cap: CAP, random: () => this.#random.next() },
      dial: () => this.#dial(device),
    });
    client.connected.catch(() => {});
    client.onStatus(({ status, error }) => {
      if (status !== "closed" || this.#isEnding || device.client !== client) return;
      this.#fail(`${device.name} was thrown out: ${error?.code} ${error?.message}`);
    });
  }

  #dial(device: Device): Promise<BadLine["client"]> {
    const line = this.#connect();
    device.lines = [...device.lines.slice(-20), line];
    // A new connection may take another way through the network, and overtake those before.
    for (const direction of device.held) if (this.#random.next() < 0.5) line.hold(direction, true);
    return Promise.resolve(line.client);
  }

  #connect(): BadLine {
    if (this.#context === null) throw new TrackerError("CONNECTION_REFUSED", "Cannot connect: nothing listens there");
    this.report.connections++;
    const line = new BadLine();
    const session = new Session(line.server, this.#context, {
      onEvent: (_, event) => {
        if (event.kind !== "error") return;
        if (event.error.code === "SUPERSEDED" && event.error.message.includes("attempt")) this.report.superseded++;
        if (event.error.code === "TAKEN_OVER") this.report.takenBack++;
      },
    });
    this.#sessions.push({ session, ended: session.run(), line });
    return line;
  }

  /** Sets a job's state on a line that may hold back, and again with the same time when the answer does not come. */
  #startPut(job: Job): void {
    const options = { for: 3_600, issued: this.#now, timeout: TIMEOUT };
    const running: Promise<void> = this.#put(job, options).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #put(job: Job, options: PutOptions & { issued: number }): Promise<void> {
    for (let attempt = 0; attempt < 3 && !this.#isEnding; attempt++) {
      const context = this.#context;
      const line = this.#tryToConnect();
      if (line === null) return;
      const direction = this.#random.pick(["up", "down", null, null] as const);
      if (direction !== null) {
        line.hold(direction, true);
        setTimeout(() => line.hold(direction, false), this.#random.integer(100, 15_000));
      }
      const client = new Client({ dial: () => Promise.resolve(line.client), timeout: TIMEOUT });
      client.connected.catch(() => {});
      const code = await client.put(job.name, `${options.issued}`, options).then(() => "done", ({ code }) => code);
      client.abort();
      if (context !== this.#context) return;
      if (code === "done") {
        this.report.puts++;
        job.confirmed = Math.max(job.confirmed, options.issued);
      }
      if (code === "SUPERSEDED") this.report.late++;
      if (code === "done" || code === "SUPERSEDED") return;
    }
  }

  #tryToConnect(): BadLine | null {
    try {
      return this.#connect();
    } catch {
      return null;
    }
  }

  #restart(): void {
    this.report.restarts++;
    this.#stopServer();
    setTimeout(() => this.#isEnding || this.#context !== null || this.#startServer(), this.#random.integer(100, 5_000));
  }

  #startServer(): void {
    const registry = new Registry({ now: () => this.#now });
    const there = new Set<string>();
    registry.subscribe(({ kind, entry: { id } }) => {
      if (kind === "join" && there.has(id)) this.#fail(`${id} has joined twice`);
      if (kind === "leave") there.delete(id);
      else there.add(id);
    });
    this.#context = createSessionContext(registry, LIMITS);
    for (const job of this.#jobs) job.confirmed = 0;
  }

  /** Ends the server at once. What it has not answered is lost. */
  #stopServer(): void {
    const context = this.#context;
    this.#context = null;
    if (context === null) return;
    const ended = this.#sessions.splice(0).map(({ session, ended, line }) => {
      session.abort();
      line.reset();
      return ended;
    });
    void Promise.all(ended).then(() => closeSessionContext(context));
  }

  #check(): void {
    this.throwFailure();
    if (this.#context === null) return;
    for (const { name, confirmed } of this.#jobs) {
      const entry = this.#context.registry.get(name);
      const issued = entry === undefined ? 0 : Number(textOf(entry.state));
      if (issued >= confirmed) continue;
      throw new Violation(`${name} has what was set at ${issued}, although ${confirmed} was confirmed`);
    }
  }

  #fail(why: string): void {
    this.#failure ??= new Violation(why);
  }
}
