/**
 * The package node-forge, which makes certificates.
 *
 * @module
 */

export type { PrivateKey, PublicKey } from "./forge.d.ts";
// @ts-types="./forge.d.ts"
export { default } from "npm:node-forge@1.4.3";
