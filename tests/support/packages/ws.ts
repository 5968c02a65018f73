/**
 * The package ws, which speaks WebSocket.
 *
 * @module
 */

// @deno-types="./ws.d.ts"
export { Receiver, WebSocket } from "npm:ws@8.23.0";
