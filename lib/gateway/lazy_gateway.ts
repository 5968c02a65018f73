/**
 * A gateway that is not there before it is needed.
 *
 * @module
 */

import type { TrackerError } from "../errors.ts";
import type { Conversation, OtherProtocol, Place } from "../server/other_protocol.ts";
import type { Incoming } from "../transport/listener.ts";
import { HTTP, isHttp } from "./first_byte.ts";
import type { Gateway } from "./gateway.ts";
import { type GatewayOptions, rulesOf } from "./options.ts";

/** Speaks HTTP from the first request on: until then none of the code is loaded, so that a start takes no longer. */
export class LazyGateway implements OtherProtocol {
  readonly name = HTTP;
  readonly port: number | null;
  readonly hostname: string | undefined;
  readonly #options: GatewayOptions;
  #loading: Promise<Gateway> | null = null;
  /** The gateway, once it is there. */
  #gateway: Gateway | null = null;

  /**
   * @param options What is allowed, and where
   * @throws {TrackerError} BAD_ARGUMENT when an option cannot be used
   */
  constructor(options: GatewayOptions = {}) {
    rulesOf(options);
    this.#options = options;
    this.port = options.port ?? null;
    this.hostname = options.hostname;
  }

  isBegunBy(byte: number): boolean {
    return this.port === null && isHttp(byte);
  }

  converse(connection: Incoming, bytes: Uint8Array, place: Place): Conversation {
    if (this.#gateway !== null) return this.#gateway.converse(connection, bytes, place);
    return new LateConversation(this.#loading ??= this.#load(), connection, bytes, place);
  }

  async #load(): Promise<Gateway> {
    const { Gateway } = await import("./gateway.ts");
    return this.#gateway = new Gateway(this.#options);
  }
}

/** A conversation that begins when its code is loaded. */
class LateConversation implements Conversation {
  readonly #gateway: Promise<Gateway>;
  readonly #connection: Incoming;
  readonly #bytes: Uint8Array;
  readonly #place: Place;
  #conversation: Conversation | null = null;
  /** Why it is to end, if it is to before it has begun. */
  #ending: TrackerError | null = null;

  constructor(gateway: Promise<Gateway>, connection: Incoming, bytes: Uint8Array, place: Place) {
    this.#gateway = gateway;
    this.#connection = connection;
    this.#bytes = bytes;
    this.#place = place;
  }

  async run(): Promise<Incoming | null> {
    const gateway = await this.#gateway;
    this.#conversation = gateway.converse(this.#connection, this.#bytes, this.#place);
    if (this.#ending !== null) this.#conversation.end(this.#ending);
    return await this.#conversation.run();
  }

  end(error: TrackerError): void {
    this.#ending ??= error;
    this.#conversation?.end(error);
  }

  checkProgress(): void {
    this.#conversation?.checkProgress();
  }
}
