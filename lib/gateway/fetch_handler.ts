/**
 * The routes as a handler of standard requests, for programs that have an HTTP server of their own.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import type { Pieces } from "../base/pieces.ts";
import type { EventObserver } from "../server/events.ts";
import { lostError } from "../server/stall.ts";
import type { SocketAddress } from "../transport/listener.ts";
import { type Answer, type EventStream, isStream } from "./answer.ts";
import { BODILESS, discard, safetyHeaders } from "./framing.ts";
import { GatewayRequest } from "./request.ts";
import { type Site, tooLarge } from "./site.ts";

/** Answers standard requests. */
export type FetchHandler = (request: Request, info?: { readonly remoteAddr?: unknown }) => Promise<Response>;

/** Where a request is from that does not say so: nowhere that is trusted. */
const UNKNOWN: SocketAddress = { transport: "tcp", hostname: "0.0.0.0", port: 0 };

/**
 * Makes a handler.
 *
 * @param site What is answered
 * @param observer Hears what happens
 * @returns The handler. It never rejects.
 */
export function fetchHandler(site: Site, observer: EventObserver): FetchHandler {
  return async (request, info) => {
    const { pathname, search } = new URL(request.url);
    const asked = new GatewayRequest({
      method: request.method,
      target: pathname + search,
      header: (name) => name === "host" ? hostFrom(request) : request.headers.get(name) ?? undefined,
      peer: addressOf(info?.remoteAddr),
    });
    try {
      const admitted = await site.admit(asked, observer);
      const body = await readBody(request, admitted.maxBody, site.context.maxState);
      return respond(await admitted.answer(body), request.method);
    } catch (error) {
      return respond(site.refuse(error, { observer, peer: asked.peer }), request.method);
    }
  };
}

function hostFrom(request: Request): string {
  return request.headers.get("host") ?? new URL(request.url).host;
}

function addressOf(remote: unknown): SocketAddress {
  const { hostname, port } = { ...remote as Partial<SocketAddress> };
  return typeof hostname === "string" && typeof port === "number" ? { transport: "tcp", hostname, port } : UNKNOWN;
}

/** Reads a body, and no more of it than is taken. */
async function readBody({ body }: Request, maxBody: number, maxState: number): Promise<Uint8Array> {
  if (body === null) return EMPTY;
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > maxBody) throw tooLarge(length, maxBody, maxState);
    parts.push(part);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function respond(answer: Answer, method: string): Response {
  const { status } = answer;
  const headers = new Headers();
  for (const line of (safetyHeaders(answer) + answer.headers).split("\r\n")) {
    const at = line.indexOf(": ");
    if (at !== -1) headers.append(line.slice(0, at), line.slice(at + 2));
  }
  const body = method === "HEAD" || BODILESS.has(status) ? discard(answer) : answer.body;
  if (body === null) return new Response(null, { status, headers });
  if (body instanceof Uint8Array) return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
  return new Response(isStream(body) ? streamOfEvents(body) : streamOfPieces(body), { status, headers });
}

function streamOfPieces(pieces: Pieces): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.next();
      if (piece === null) {
        pieces.release();
        controller.close();
      } else if (piece.length !== 0) {
        // The next piece is made in the same memory.
        controller.enqueue(piece.slice());
      }
    },
    cancel: () => pieces.release(),
  }, { highWaterMark: 0 });
}

/** A watcher is asked only when somebody reads, so that a slow reader skips what it has missed. */
function streamOfEvents({ preface, begin }: EventStream): ReadableStream<Uint8Array<ArrayBuffer>> {
  let wake = () => {};
  let isOver = false;
  const watcher = begin(() => wake());
  return new ReadableStream({
    start: (controller) => controller.enqueue(preface.slice()),
    async pull(controller) {
      while (!isOver) {
        if (watcher.isLost) throw lostError();
        const frame = watcher.hasNews ? watcher.next() : null;
        if (frame !== null && frame.length !== 0) return controller.enqueue(frame.slice());
        if (frame === null) await new Promise<void>((resolve) => wake = resolve);
      }
    },
    cancel() {
      isOver = true;
      watcher.close();
      wake();
    },
  }, { highWaterMark: 0 });
}
