/**
 * From whatever went wrong to one line that says what to do about it, and an exit code.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import { CommandError } from "./command_error.ts";
import { complain, OutputClosed } from "./terminal/output.ts";
import { UsageError } from "./flags/usage.ts";

/**
 * Tells the user what went wrong.
 *
 * @param error What was thrown
 * @param command The command that threw it, if it came to that
 * @returns The exit code
 */
export function reportFailure(error: unknown, command?: string): number {
  if (error instanceof OutputClosed) return 0;
  if (error instanceof UsageError) {
    const stop = error.message.endsWith("?") ? "" : ".";
    complain(`tracker: ${error.message}${stop} Run 'tracker help${command === undefined ? "" : ` ${command}`}'`);
    return 2;
  }
  complain(`tracker: ${describe(error)}`);
  return 1;
}

/**
 * Puts a failure into words.
 *
 * @param error What was thrown
 * @returns One line, and what to do about it
 */
export function describe(error: unknown): string {
  if (error instanceof TrackerError) return error.message + advice(error);
  if (error instanceof CommandError) {
    return error.message + (error.cause instanceof TrackerError ? advice(error.cause) : "");
  }
  return `internal error: ${error instanceof Error ? error.message : String(error)}`;
}

function advice(error: TrackerError): string {
  switch (error.code) {
    case "CONNECTION_REFUSED":
      return ". Start one with: tracker serve";
    case "ADDRESS_IN_USE":
      return ". Choose another port with --port, or stop the other program";
    case "BAD_ADDRESS":
      return ". Give --host an address of this machine, such as 127.0.0.1";
    case "PERMISSION_DENIED":
      if (error.message.includes("-N")) return "";
      return error.cause instanceof Deno.errors.NotCapable
        ? ". Run deno with -N: deno run -N main.ts serve"
        : ". Choose a port above 1023 with --port";
    case "UNAUTHORIZED":
      return error.message.includes("for reading")
        ? ". Show a token that may write: --token-file FILE"
        : ". Show one of the server's tokens: --token-file FILE, or TRACKER_TOKEN in the environment";
    case "NAME_TAKEN":
      return ". Choose another name, or take it from there with --takeover";
    case "BAD_CERTIFICATE":
      if (error.message.startsWith("Cannot use")) return ". Look at the files of --tls-cert and --tls-key";
      return error.message.includes("caCerts") ? ". Name a file with its authority's certificate: --ca FILE" : "";
    case "TLS_FAILED":
      if (error.message.includes("speaks no TLS")) return ". Leave out --tls and --ca, or name the port for TLS";
      return error.message.includes("speaks TLS") ? ". Use --tls" : "";
    case "CONNECTION_CLOSED":
      return tlsAdvice(error);
    case "CONNECTION_FAILED":
    case "TIMEOUT":
      if (tlsAdvice(error) !== "") return tlsAdvice(error);
      return error.message.startsWith("Cannot connect") ? ". Say where the server is with --server HOST:PORT" : "";
    default:
      return "";
  }
}

function tlsAdvice({ message }: TrackerError): string {
  return message.includes("perhaps speaks TLS") ? ". If it does, use --tls" : "";
}
