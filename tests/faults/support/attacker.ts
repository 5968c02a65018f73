/**
 * Clients that ask for as much as they can, and read every answer.
 *
 * @module
 */

import { delay } from "../../../lib/base/async.ts";
import { connect } from "../../../mod.ts";
import { decodeEvents } from "../../../lib/wire/mod.ts";
import { ByteClient } from "../../support/byte_client.ts";
import { bytesOf, longLength, writeFully } from "../../support/bytes.ts";
import { job, questions, tell } from "./talk.ts";

/** A job for the helper. */
export interface AttackJob {
  port: number;
  kind: keyof typeof REQUESTS | "resumes";
  /** How many connections attack. */
  connections: number;
  /** Most bytes that each sends in a second, in bursts; as many as are taken unless given. Of resumes, their number. */
  rate?: number;
}

function request(type: number, payload: unknown): Uint8Array {
  const text = JSON.stringify(payload);
  return bytesOf(42, type, longLength(text.length), text);
}

const UPDATE = bytesOf(42, 2, longLength(40), "x".repeat(40));

/** What each kind sends again and again. */
const REQUESTS = {
  "lists of nobody": request(6, { prefix: "nobody:" }),
  "lists of all": request(6, {}),
  "lists of a group": request(6, { prefix: "group7:" }),
  gets: bytesOf(42, 3),
  "updates and pings": bytesOf(UPDATE, 42, 7),
  updates: UPDATE,
  pings: bytesOf(42, 7),
  opens: bytesOf(42, 0, longLength(2), "ab"),
  stats: bytesOf(42, 8),
};

/** Most bytes written at once. */
const CHUNK = 65_536;

let sent = 0;

async function attack({ port, kind, rate = Infinity }: AttackJob, number: number): Promise<void> {
  using connection = await Deno.connect({ port });
  await writeFully(connection, bytesOf(request(4, {}), 42, 0, longLength(1), `${number % 10}`));
  void drain(connection);
  if (kind === "resumes") return;
  const one = REQUESTS[kind];
  const many = Math.floor(CHUNK / one.length);
  const chunk = new Uint8Array(one.length * many);
  for (let at = 0; at < chunk.length; at += one.length) chunk.set(one, at);
  for (let due = performance.now();; due += chunk.length / rate * 1_000) {
    const early = due - performance.now();
    if (early > 0) await delay(early);
    await writeFully(connection, chunk);
    sent += chunk.length;
  }
}

/** Comes back again and again, as a watcher whose connection is cut. */
async function resume({ port, rate = 100 }: AttackJob): Promise<void> {
  const { incarnation, revision } = await positionAt(port);
  for (let due = performance.now();; due += 1_000 / rate) {
    const early = due - performance.now();
    if (early > 0) await delay(early);
    using connection = await Deno.connect({ port });
    const since = request(5, { since: { incarnation, revision } });
    await writeFully(connection, bytesOf(request(4, {}), since));
    await readUntilSynced(connection);
    sent += since.length;
  }
}

/** The server's position now. */
async function positionAt(port: number): Promise<{ incarnation: string; revision: number }> {
  await using client = await connect({ port });
  const { incarnation, revision } = await client.stats();
  return { incarnation, revision };
}

async function readUntilSynced(connection: Deno.Conn): Promise<void> {
  const client = new ByteClient(connection);
  await client.expect(1);
  await client.readPayload();
  await client.expect(1);
  for (;;) if (decodeEvents(await client.readPayload()).some(({ kind }) => kind === "synced")) return;
}

async function drain(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(262_144);
  while (await connection.read(buffer).catch(() => null) !== null);
}

if (import.meta.main) {
  const work = job<AttackJob>();
  const begin = work.kind === "resumes" ? () => resume(work) : (number: number) => attack(work, number);
  for (let number = 0; number < work.connections; number++) void begin(number).catch(() => {});
  tell({ sent });
  for await (const _ of questions()) tell({ sent });
  Deno.exit(0);
}
