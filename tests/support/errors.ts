import { assertRejects } from "@std/assert";
import { TrackerError } from "../../mod.ts";

/** The code of the error that a call rejects with; fails if it resolves. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => call, TrackerError)).code;
}
