import { assertRejects } from "@std/assert";
import { TrackerError } from "../../../mod.ts";

/** The code and the message of the error that a call rejects with. */
export async function failureOf(call: Promise<unknown>): Promise<[code: string, message: string]> {
  const { code, message } = await assertRejects(() => call, TrackerError);
  return [code, message];
}
