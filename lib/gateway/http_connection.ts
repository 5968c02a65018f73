/**
 * One connection on which HTTP is spoken.
 *
 * @module
 */

import { EMPTY, toBytes } from "../base/bytes.ts";
import type { TrackerError } from "../errors.ts";
import { badRequest, HttpError } from "../http/http_error.ts";
import { findHeadEnd, MAX_HEAD, parseHead, type RequestHead } from "../http/request_head.ts";
import { WebSocketConnection } from "../http/websocket.ts";
import type { Watcher } from "../feed/watcher.ts";
import type { SessionContext } from "../server/context.ts";
import type { Conversation, Place } from "../server/other_protocol.ts";
import { ReadBuffer } from "../server/read_buffer.ts";
import { GATHERED_BYTES, type ReplySource, ReplyWriter } from "../server/reply_writer.ts";
import { lostError, stallError } from "../server/stall.ts";
import { Throttle } from "../server/throttle.ts";
import type { Incoming } from "../transport/listener.ts";
import { type Answer, type EventStream, isStream } from "./answer.ts";
import { eventText } from "./event_text.ts";
import { frame } from "./framing.ts";
import { GatewayRequest } from "./request.ts";
import { type Admitted, type Site, tooLarge } from "./site.ts";
import { StepTimer, type StepTimerOwner } from "./step_timer.ts";
import { TIME_LIMITS, type TimeLimit } from "./time_limits.ts";
import type { Visitor } from "./visitor.ts";

const COMMENT = toBytes(":\n\n");

const CONTINUE = toBytes("HTTP/1.1 100 Continue\r\n\r\n");

/** Room in a message of a WebSocket besides a state: for several of Tracker's at once. */
const MESSAGE_ROOM = 65_536;

/** As how many answers of Tracker's one counts, where others have their turn. */
const WORK = 1;

/** As what a request is answered that is not to be followed by another, whatever it may have been. */
const LAST = { method: "GET", minor: 1, isKept: false };

/** What a request has come to: whether another may follow, a stream goes on, or what the connection has become. */
type Outcome = "kept" | "streams" | "over" | WebSocketConnection;

/** The server's side of a connection on which HTTP is spoken: one request after another. */
export class HttpConnection implements Conversation, ReplySource, StepTimerOwner {
  /** What all connections share. */
  readonly context: SessionContext;
  /** The connection. */
  readonly connection: Incoming;
  readonly #site: Site;
  readonly #place: Place;
  readonly #input: ReadBuffer;
  readonly #replies: ReplyWriter;
  readonly #throttle: Throttle | null;
  readonly #timer = new StepTimer(this);
  /** Whether a request is being answered. */
  #isBusy = false;
  /** Why the connection is to end; `null` while it is not. */
  #ending: TrackerError | null = null;
  #hasFinished = false;
  /** Whether the last answer was more than light work. */
  #isHeavy = false;

  /**
   * @param site What is answered
   * @param connection The connection
   * @param bytes What has come on it already
   * @param place Its place at the server
   */
  constructor(site: Site, connection: Incoming, bytes: Uint8Array, place: Place) {
    this.context = place.context;
    this.connection = connection;
    this.#site = site;
    this.#place = place;
    this.#input = new ReadBuffer(place.context);
    this.#input.take(bytes, place.context);
    this.#replies = new ReplyWriter(this);
    const { messageRate, deadlines } = place.context;
    this.#throttle = messageRate === 0 ? null : new Throttle(messageRate, deadlines);
  }

  async run(): Promise<Incoming | null> {
    try {
      let outcome: Outcome | null = "kept";
      while (outcome === "kept" && this.#ending === null) {
        outcome = await this.#serveNext();
        if (outcome === "kept") await this.#takeTurn();
      }
      if (outcome === null) return null;
      if (outcome instanceof WebSocketConnection) return outcome;
      // Here, where nothing of the request is kept any more: there may be thousands of streams.
      while (outcome === "streams" && await this.connection.read(this.#input.bytes) !== null);
      await this.#finish();
    } catch {
      // A broken connection is one way to end, with nobody left to tell.
    } finally {
      this.#throttle?.release();
      this.#timer.disarm();
      this.#replies.close();
      this.#input.release(this.context);
    }
    return null;
  }

  end(error: TrackerError): void {
    if (this.#ending !== null) return;
    this.#ending = error;
    // All of them are told to end.
    if (this.context.isStopping) this.#site.waiters.close();
    if (this.#replies.watcher !== null) return this.#endStream(error);
    if (this.#isBusy) return;
    // Between two requests there is nothing to answer.
    if (this.context.isStopping && this.#input.to === this.#input.from) return this.#place.abort();
    this.#refuse(this.#site.refuse(error));
  }

  /** Called when a reply cannot be written to its end, or a watcher cannot catch up. */
  close(error: TrackerError): void {
    if (this.#replies.watcher === null) return this.#place.abort();
    this.#site.refuse(error, this.#place);
    this.end(error);
  }

  checkProgress(): void {
    const error = stallError(this.#replies, this.context);
    if (error === null) return;
    this.#site.refuse(error, this.#place);
    this.#place.abort();
  }

  onProgress(): void {}

  onLate(limit: TimeLimit): void {
    if (limit === "comment") {
      this.#timer.begin("comment");
      if (this.#replies.writing === null) this.#replies.add(COMMENT);
      this.#sendNews();
    } else if (limit === "head" || limit === "body") {
      this.context.counters.countRefusal("time");
      this.#refuse(this.#site.refuse(new HttpError("REQUEST_TIMEOUT", TIME_LIMITS[limit].why)));
    } else {
      this.#place.abort();
    }
  }

  /** Answers the next request; `null` if there is none. */
  async #serveNext(): Promise<Outcome | null> {
    const head = await this.#readHead();
    return head === null ? null : await this.#exchange(head);
  }

  /** Reads the head of the next request; `null` if the client has ended the connection, or one that was refused. */
  async #readHead(): Promise<RequestHead | null> {
    const input = this.#input;
    for (;;) {
      this.#timer.begin(input.to === input.from ? "idle" : "head");
      try {
        const end = input.to === input.from ? -1 : findHeadEnd(input.bytes, input.from, input.to);
        if (end !== -1) {
          const head = parseHead(input.bytes, input.from, end);
          input.from = end;
          this.#timer.begin(null);
          return head;
        }
      } catch (error) {
        this.#timer.begin(null);
        await this.#send(this.#site.refuse(error), LAST);
        await this.#finish();
        return null;
      }
      if (!await this.#readMore(MAX_HEAD)) return null;
    }
  }

  /** Reads what has come. Returns `false` at the end. */
  async #readMore(needed: number): Promise<boolean> {
    this.#input.compact(needed, this.context);
    const count = await this.connection.read(this.#input.room);
    if (count === null || this.#hasFinished) return false;
    this.#input.to += count;
    this.context.counters.received += count;
    return true;
  }

  /** Answers a request. */
  async #exchange(head: RequestHead): Promise<Outcome> {
    this.#isBusy = true;
    this.#throttle?.spend(1);
    const request = this.#requestOf(head);
    const admitted = await this.#admit(head, request);
    // What follows a body that was not read is no request.
    if ("status" in admitted) return await this.#complete(head, admitted, head.isKept && head.contentLength === 0);
    const body = head.contentLength === 0 ? EMPTY : await this.#readBody(head);
    if (body === null) return "over";
    const answering = admitted.answer(body);
    return await this.#complete(head, answering instanceof Promise ? await answering : answering, head.isKept);
  }

  /** Looks at a request before its body is read. Returns the answer if it is refused. */
  async #admit(head: RequestHead, request: GatewayRequest): Promise<Admitted | Answer> {
    const { contentLength } = head;
    try {
      const admitting = this.#site.admit(request, this.#place.observer);
      const admitted = admitting instanceof Promise ? await admitting : admitting;
      if (contentLength > admitted.maxBody) throw tooLarge(contentLength, admitted.maxBody, this.context.maxState);
      this.#welcome(admitted.visitor);
      return admitted;
    } catch (error) {
      return this.#site.refuse(error, this.#place);
    }
  }

  async #complete(head: RequestHead, answer: Answer, isKept: boolean): Promise<Outcome> {
    if (answer.isUpgrade) return await this.#upgrade(answer);
    const { body } = answer;
    if (isStream(body) && head.method !== "HEAD") return await this.#stream(head, answer, body);
    const kept = await this.#send(answer, { ...head, isKept: isKept && this.#ending === null });
    this.#isBusy = false;
    return kept && this.#ending === null ? "kept" : "over";
  }

  #requestOf(head: RequestHead): GatewayRequest {
    const { method, target, headers } = head;
    return new GatewayRequest({ method, target, header: (name) => headers.get(name), peer: this.#place.peer, head });
  }

  /** A client that has shown a token takes a place among those that have. */
  #welcome(visitor: Visitor | null): void {
    if (visitor !== null && visitor.grant !== null) this.#place.admit(visitor.grant);
  }

  /** Reads the body of a request; `null` if the connection ends before it does. */
  async #readBody({ contentLength, expectsContinue }: RequestHead): Promise<Uint8Array | null> {
    const input = this.#input;
    if (expectsContinue && input.to === input.from) {
      this.#replies.add(CONTINUE);
      await this.#replies.flush();
    }
    this.#timer.begin("body");
    while (input.to - input.from < contentLength) {
      if (!await this.#readMore(contentLength)) return null;
    }
    this.#timer.begin(null);
    input.from += contentLength;
    return input.bytes.subarray(input.from - contentLength, input.from);
  }

  /** Sends an answer. Returns whether another request may follow. */
  async #send(answer: Answer, request: { method: string; minor: number; isKept: boolean }): Promise<boolean> {
    const { head, body, isKept } = frame(answer, { ...request, date: this.#site.date.text });
    this.#replies.gathered.append(toBytes(head));
    if (body !== null) this.#replies.add(body);
    this.#isHeavy = body !== null && !(body instanceof Uint8Array && body.length <= GATHERED_BYTES);
    await this.#replies.flush();
    return isKept;
  }

  /** Tells a watcher what happens, until either side ends that. */
  async #stream(head: RequestHead, answer: Answer, { preface, begin }: EventStream): Promise<Outcome> {
    let watcher: Watcher;
    try {
      watcher = begin(() => this.#sendNews());
    } catch (error) {
      return await this.#complete(head, this.#site.refuse(error, this.#place), false);
    }
    const { gathered } = this.#replies;
    gathered.append(toBytes(frame(answer, { ...head, isKept: false, date: this.#site.date.text }).head));
    gathered.append(preface);
    this.#replies.watcher = watcher;
    // A browser's head is longer than what a quiet connection needs room for.
    this.#input.from = this.#input.to = 0;
    this.#input.compact(0, this.context);
    this.#timer.begin("comment");
    this.#sendNews();
    return "streams";
  }

  /** Nothing awaits the write: if it fails, the connection ends. */
  #sendNews(): void {
    if (this.#replies.writing !== null || this.#hasFinished) return;
    if (this.#replies.watcher?.isLost) return this.close(lostError());
    this.#replies.flush()?.catch(() => this.#place.abort());
  }

  #endStream(error: TrackerError): void {
    this.#replies.watcher?.endFrames();
    this.#depart();
    const last = toBytes(eventText("end", { event: "end", code: error.code, message: error.message }));
    // The reader notices that the client ends the connection.
    this.#replies.finish(last).catch(() => this.#place.abort());
  }

  async #upgrade(answer: Answer): Promise<Outcome> {
    // A client waits for the answer: whatever comes before it may be meant for somebody else on the way.
    if (this.#input.to !== this.#input.from) {
      const refusal = this.#site.refuse(badRequest("something follows it before it is answered"));
      await this.#send(refusal, LAST);
      return "over";
    }
    await this.#send(answer, { ...LAST, isKept: true });
    const { deadlines, maxState } = this.context;
    return new WebSocketConnection(this.connection, { deadlines, maxMessage: maxState + MESSAGE_ROOM });
  }

  /** Sends a last answer while the request is still being waited for. */
  #refuse(answer: Answer): void {
    this.#depart();
    const { head, body } = frame(answer, { ...LAST, date: this.#site.date.text });
    this.#replies.gathered.append(toBytes(head));
    if (body !== null) this.#replies.add(body);
    this.#replies.finish().then(() => this.#place.abort(), () => this.#place.abort());
  }

  /** Ends the connection in order: unread input would reset it, and could destroy the last answer on its way. */
  async #finish(): Promise<void> {
    if (this.#hasFinished) return;
    this.#depart();
    await this.#replies.finish();
    while (await this.connection.read(this.#input.bytes) !== null);
  }

  /** Only the last answer is left to be taken, for which there is a time limit. */
  #depart(): void {
    this.#hasFinished = true;
    this.#place.depart();
    this.#timer.begin("linger");
  }

  /** Lets others have their turn: after heavy work at once, after light work once in a while. */
  async #takeTurn(): Promise<void> {
    const { turns } = this.context;
    const isHeavy = this.#isHeavy;
    this.#isHeavy = false;
    if (this.#throttle?.isExceeded === true) await this.#throttle.pause();
    const wait = isHeavy && turns.isSpent ? turns.rest() : turns.answered(WORK);
    if (wait !== null) await wait;
  }
}
