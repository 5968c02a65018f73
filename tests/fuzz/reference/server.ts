/**
 * A simple model of a server: its map, the owners of names, and the replies that it owes to each connection. It is
 * written after PROTOCOL.md, reads messages with the second parser, and handles them one at a time.
 *
 * @module
 */

import type { WireErrorCode } from "../../../mod.ts";
import { type Message, readMessages, type Rules } from "./messages.ts";
import { readRequest } from "./requests.ts";

/** A reply that a connection is owed. */
export type Owed =
  | { readonly kind: "done" | "watching" | "greeting" | "stats" | "pong" | "answer" }
  | { readonly kind: "map"; readonly map: string; readonly wide: boolean }
  | { readonly kind: "list"; readonly records: readonly string[]; readonly hasDetails: boolean }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "error"; readonly code: WireErrorCode };

/** A client in the map. Its state has a character per byte. */
interface Client {
  readonly id: string;
  state: string;
  status: "live" | "suspect" | "detached";
}

/** The input depends on revisions, which are not counted here. */
export class Unmodelled extends Error {}

/** A name, held by a connection or kept for one. */
interface Claim {
  readonly name: string;
  readonly grace: number;
  /** Its owner; `null` while the name is kept. */
  peer: ModelPeer | null;
  client: Client | null;
  /** Its key, once known: the server tells it to the owner. */
  key: string | undefined;
  /** What tells its client from others, if that says so, and the number of the attempt. */
  readonly instance: string | undefined;
  readonly attempt: number;
}

/** A connection. */
export class ModelPeer {
  readonly owed: Owed[] = [];
  readonly model: Model;
  /** Bytes that it has sent. */
  bytes: Uint8Array = new Uint8Array();
  isOpen = true;
  claim: Claim | null = null;
  client: Client | null = null;
  /** Prefix that it watches; `null` if it does not watch. */
  watches: string | null = null;
  /** Whether its watch began with a snapshot. */
  watchesAll = false;
  #handled = 0;

  constructor(model: Model) {
    this.model = model;
    model.peers.add(this);
  }

  /** Handles bytes that have arrived; `ends` if they are the last. */
  receive(bytes: Uint8Array, ends = false): void {
    if (!this.isOpen) return;
    this.bytes = Uint8Array.from([...this.bytes, ...bytes]);
    const { length } = this.bytes;
    const reading = readMessages(this.bytes, length, this.model.rules, ends ? length : -1);
    for (const message of reading.messages.slice(this.#handled)) {
      this.#handled++;
      this.#handle(message);
      if (!this.isOpen) return;
    }
    if (reading.end !== "more" && reading.end !== "ambiguous") this.refuse(reading.end);
    else if (ends) this.leave(true);
  }

  /** Ends it with an error. */
  refuse(code: WireErrorCode): void {
    this.owed.push({ kind: "error", code });
    this.leave(code !== "KICKED");
  }

  /** Removes its client from the map, or makes it a suspect. */
  leave(mayStay: boolean): void {
    this.isOpen = false;
    const { claim, client } = this;
    this.claim = this.client = null;
    if (claim !== null) this.model.release(claim, mayStay);
    else if (client !== null) this.model.clients.delete(client.id);
  }

  #handle({ type, start, end }: Message): void {
    const payload = this.bytes.subarray(start, end);
    if (this.watches !== null && type !== 1 && type !== 2 && type !== 7) return this.refuse("BAD_TYPE");
    if (type === 0 || type === 2) this.#setState(String.fromCharCode(...payload));
    if (type === 0) this.owed.push({ kind: "done" });
    else if (type === 1) this.#close();
    else if (type === 3) this.owed.push({ kind: "map", map: this.model.map, wide: this.#isWideBy(end) });
    else if (type === 4) this.#greet(payload);
    else if (type === 5) this.#watch(payload);
    else if (type === 6) this.#list(payload);
    else if (type === 7) this.owed.push({ kind: this.watches === null ? "done" : "pong" });
    else if (type === 8) this.owed.push({ kind: "stats" });
    else if (type === 9) this.#put(payload);
    else if (type === 10) this.#drop(payload);
    else if (type === 11) this.#kick(payload);
    else if (type === 12) this.#fetch(payload);
  }

  /** Whether a Get is answered with a long length. A dialect that a later message settles does not matter. */
  #isWideBy(end: number): boolean {
    const { dialect } = readMessages(this.bytes, end, this.model.rules);
    return dialect === "wide" || dialect === "java";
  }

  #close(): void {
    this.owed.push({ kind: "done" });
    this.leave(false);
  }

  #setState(state: string): void {
    if (this.client !== null) {
      this.client.state = state;
      return;
    }
    this.client = this.model.open(this.claim?.name, state);
    if (this.claim !== null) this.claim.client = this.client;
  }

  #greet(payload: Uint8Array): void {
    const request = readRequest("hello", payload);
    if (request === null) return this.refuse("BAD_HELLO");
    if (request.name !== undefined) {
      this.claim = this.model.claim(this, request);
      if (this.claim === null) return this.refuse(this.model.refusalOf(request));
      this.client = this.claim.client;
    }
    this.owed.push({ kind: "greeting" });
  }

  #watch(payload: Uint8Array): void {
    const request = readRequest("watch", payload);
    if (request === null) return this.refuse("BAD_HELLO");
    this.watches = (request.prefix as string | undefined) ?? "";
    this.watchesAll = request.since === undefined;
    this.owed.push({ kind: "watching" });
  }

  #list(payload: Uint8Array): void {
    const request = readRequest("list", payload);
    if (request === null) return this.refuse("BAD_HELLO");
    if (request.count === true) {
      const { limit: _limit, after, ...rest } = request;
      return void this.owed.push({ kind: "count", count: this.model.select({ ...rest, after }).length });
    }
    const records = this.model.select(request).map(recordOf);
    this.owed.push({ kind: "list", records, hasDetails: request.details === true });
  }

  #put(payload: Uint8Array): void {
    const end = 2 + (payload[0]! << 8 | payload[1]!);
    const request = readRequest("put", payload.subarray(2, end));
    if (request === null) return this.refuse("BAD_HELLO");
    const code = this.model.put(request, String.fromCharCode(...payload.subarray(end)));
    this.#answer(code);
  }

  #drop(payload: Uint8Array): void {
    const request = readRequest("drop", payload);
    if (request === null) return this.refuse("BAD_HELLO");
    this.#answer(this.model.drop(request));
  }

  #kick(payload: Uint8Array): void {
    const request = readRequest("kick", payload);
    if (request === null) return this.refuse("BAD_HELLO");
    this.model.kick(request);
    this.#answer(null);
  }

  #fetch(payload: Uint8Array): void {
    const request = readRequest("fetch", payload);
    if (request === null) return this.refuse("BAD_HELLO");
    const client = this.model.clients.get(request.id as string);
    this.owed.push({ kind: "list", records: client === undefined ? [] : [recordOf(client)], hasDetails: false });
  }

  /** Answers, unless it has ended itself. */
  #answer(code: WireErrorCode | null): void {
    if (!this.isOpen) return;
    if (code === null) this.owed.push({ kind: "answer" });
    else this.refuse(code);
  }
}

function recordOf({ id, status, state }: Client): string {
  return `${id} ${status} ${state}`;
}

/** The server. */
export class Model {
  readonly rules: Rules;
  /** Clients by identifier, in the order they opened. */
  readonly clients = new Map<string, Client>();
  /** Connections, as far as they have a client without a name. */
  readonly peers = new Set<ModelPeer>();
  /** What is refused for a while. */
  readonly bans = new Set<string>();
  readonly #claims = new Map<string, Claim>();
  #opened = 0;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /** The flattened map, with a character per byte. */
  get map(): string {
    return `{${Array.from(this.clients.values(), ({ id, state }) => `${id}=${state}`).join(", ")}}`;
  }

  /** Number of clients that are kept for a connection that may come back. */
  get suspects(): number {
    return this.#countOf("suspect");
  }

  /** Number of clients that are meant to be without a connection. */
  get detached(): number {
    return this.#countOf("detached");
  }

  #countOf(wanted: Client["status"]): number {
    return [...this.clients.values()].filter(({ status }) => status === wanted).length;
  }

  /** The records of all clients with a prefix, a line each. */
  recordsOf(prefix: string): string[] {
    return this.select({ prefix }).map(recordOf);
  }

  /** The clients that a List asks for. */
  select({ prefix = "", status, after, limit }: Record<string, unknown>): Client[] {
    const chosen = [...this.clients.values()].filter((client) => {
      return client.id.startsWith(prefix as string) && (status === undefined || client.status === status) &&
        (after === undefined || client.id > (after as string));
    });
    if (after === undefined && limit === undefined) return chosen;
    return chosen.sort((one, other) => one.id < other.id ? -1 : 1).slice(0, limit as number | undefined);
  }

  /** Sets an entry without a connection, and returns why it cannot. */
  put(request: Record<string, unknown>, state: string): WireErrorCode | null {
    const name = request.name as string;
    if (this.bans.has(`name ${name}`)) return "KICKED";
    const code = this.#obstacleTo(request);
    if (code !== null) return code;
    const held = this.#claims.get(name);
    if (request.if !== undefined && (request.if !== 0 || this.clients.has(name))) {
      if (request.if !== 0 && this.clients.has(name)) throw new Unmodelled();
      return "SUPERSEDED";
    }
    this.#dispossessHolder(held);
    const client = this.clients.get(name) ?? this.open(name, state);
    client.state = state;
    client.status = "detached";
    const grace = request.for as number;
    this.#claims.set(name, { name, grace, peer: null, client, key: undefined, instance: undefined, attempt: 0 });
    return null;
  }

  /** Removes an entry, and returns why it cannot. */
  drop(request: Record<string, unknown>): WireErrorCode | null {
    const name = request.name as string;
    const code = this.#obstacleTo(request);
    if (code !== null) return code;
    if (request.if !== undefined && this.clients.has(name)) {
      if (request.if !== 0) throw new Unmodelled();
      return "SUPERSEDED";
    }
    this.#dispossessHolder(this.#claims.get(name));
    this.#claims.delete(name);
    this.clients.delete(name);
    return null;
  }

  /** Ends whoever has an identifier, and refuses the name or the address for a while. */
  kick(request: Record<string, unknown>): void {
    const id = request.id as string;
    const isNamed = /^(?!client\d+$)[A-Za-z0-9._:-]{1,128}$/.test(id);
    const owner = [...this.peers].find(({ client, isOpen }) => isOpen && client?.id === id);
    const isBanned = ((request.for ?? 0) as number) > 0;
    if (isBanned && isNamed) this.bans.add(`name ${id}`);
    else if (isBanned && owner !== undefined) this.bans.add("address");
    const held = isNamed ? this.#claims.get(id) : undefined;
    if (held !== undefined && held.peer === null) {
      this.#claims.delete(id);
      this.clients.delete(id);
    } else if (held?.peer !== undefined && held.peer !== null) {
      held.peer.refuse("KICKED");
    } else if (owner !== undefined) {
      owner.refuse("KICKED");
    } else {
      this.clients.delete(id);
    }
  }

  /** Why a name can be neither set nor dropped; `null` if it can. */
  #obstacleTo({ name, takeover }: Record<string, unknown>): WireErrorCode | null {
    const held = this.#claims.get(name as string);
    const client = this.clients.get(name as string);
    if (client !== undefined && held?.client !== client) return "NAME_TAKEN";
    return held !== undefined && held.peer !== null && takeover !== true ? "NAME_TAKEN" : null;
  }

  /** Ends the connection that has a name, and its client. */
  #dispossessHolder(held: Claim | undefined): void {
    if (held === undefined || held.peer === null) return;
    this.clients.delete(held.name);
    held.peer.claim = held.peer.client = null;
    held.peer.refuse("TAKEN_OVER");
  }

  open(name: string | undefined, state: string): Client {
    const id = name ?? `client${++this.#opened}`;
    const client: Client = { id, state, status: "live" };
    this.clients.set(id, client);
    return client;
  }

  /** Why a connection cannot have a name. */
  refusalOf(request: Record<string, unknown>): WireErrorCode {
    if (this.bans.has(`name ${request.name}`)) return "KICKED";
    return this.isSuperseded(request) ? "SUPERSEDED" : "NAME_TAKEN";
  }

  /** Whether the holder of a name is the same client, which has tried again since. */
  isSuperseded({ name, instance, attempt = 0 }: Record<string, unknown>): boolean {
    const held = this.#claims.get(name as string);
    return held?.instance !== undefined && instance === held.instance && (attempt as number) <= held.attempt;
  }

  /** Gives a name to a connection; `null` if it may not have it. */
  claim(peer: ModelPeer, request: Record<string, unknown>): Claim | null {
    const name = request.name as string;
    const held = this.#claims.get(name);
    if (this.bans.has(`name ${name}`) || this.isSuperseded(request)) return null;
    const isSame = held?.instance !== undefined && request.instance === held.instance;
    const resumes = isSame || held?.key !== undefined && request.resume === held.key;
    if (held !== undefined && held.peer !== null && !resumes && request.takeover !== true) return null;
    const grace = (request.grace ?? 0) as number;
    const key = resumes ? held?.key : undefined;
    const { instance, attempt = 0 } = request as { instance?: string; attempt?: number };
    const claim: Claim = { name, grace, peer, client: held?.client ?? null, key, instance, attempt };
    this.#claims.set(name, claim);
    if (held !== undefined && held.peer !== null) this.#dispossess(held.peer, claim, resumes);
    else if (claim.client !== null) claim.client.status = "live";
    return claim;
  }

  /** Ends the owner of a name that is taken over. Without the key, its client leaves too. */
  #dispossess(peer: ModelPeer, claim: Claim, resumes: boolean): void {
    if (!resumes && claim.client !== null) {
      this.clients.delete(claim.name);
      claim.client = null;
    }
    peer.claim = peer.client = null;
    peer.refuse("TAKEN_OVER");
  }

  release(claim: Claim, mayStay: boolean): void {
    if (claim.client !== null && claim.grace !== 0 && mayStay) {
      claim.client.status = "suspect";
      claim.peer = null;
    } else {
      this.#claims.delete(claim.name);
      this.clients.delete(claim.name);
    }
  }
}
