/**
 * Observers of the server under load. None of them is in the map.
 *
 * @module
 */

import { concat } from "../../lib/cli/std.ts";
import { Connection, type Dialect, DIALECTS, type ListReply } from "../../mod.ts";
import { bytesOf } from "../support/bytes.ts";
import type { Lines } from "./line.ts";

/** Connects to ask for statistics. */
export async function openProbe(lines: Lines): Promise<Connection> {
  const probe = new Connection(await lines.dial());
  await probe.hello();
  return probe;
}

/** Connections that read the map in every possible way. */
export class Readers {
  readonly #lister: Connection;
  readonly #getters: readonly Connection[];
  #turn = 0;

  private constructor(lister: Connection, getters: readonly Connection[]) {
    this.#lister = lister;
    this.#getters = getters;
  }

  /** Connects. */
  static async open(lines: Lines): Promise<Readers> {
    const connect = async (dialect: Dialect) => new Connection(await lines.dial(), { dialect });
    const lister = await connect("wide");
    await lister.hello();
    return new Readers(lister, await Promise.all(DIALECTS.map(connect)));
  }

  /** Reads the map as records. */
  list(): Promise<ListReply> {
    return this.#lister.list();
  }

  /** Reads the flattened map, in each dialect in turn. */
  async get(): Promise<Uint8Array> {
    return await this.#getters[this.#turn++ % this.#getters.length]!.get();
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await Promise.all([this.#lister, ...this.#getters].map((reader) => reader.close()));
  }
}

/** The reply to Get that matches a reply to List. */
export function flatten({ records }: ListReply): Uint8Array {
  const parts = records.flatMap(({ id, state }, index) => [index === 0 ? "" : ", ", `${id}=`, state]);
  return concat([bytesOf("{"), bytesOf(...parts), bytesOf("}")]);
}
