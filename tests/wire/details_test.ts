import { assert, assertEquals, assertThrows } from "@std/assert";
import { TrackerError } from "../../mod.ts";
import { encodeDetails, parseDetails } from "../../lib/wire/details.ts";
import { bytesOf } from "../support/bytes.ts";

Deno.test("details arrive as they were sent, with the spaces that fill them up", () => {
  const source = { address: "[2001:db8::1]:50132", dialect: "compact", token: "robots" } as const;
  const json = encodeDetails(1_700_000_000_000, source);
  assertEquals(parseDetails(bytesOf(json, " ".repeat(9))), { until: 1_700_000_000_000, ...source });
  const nobody = { address: null, dialect: null, token: null };
  assertEquals(parseDetails(encodeDetails(0, null)), { until: 0, ...nobody });
  assertEquals(parseDetails(encodeDetails(0, { ...source, dialect: "unsettled" })).dialect, null);
});

Deno.test("a name that is too long is cut between characters, and so is an address", () => {
  const dialect = "wide";
  const long = parseDetails(encodeDetails(0, { address: "a:1", dialect, token: "é".repeat(300) }));
  assert(/^é{50,}$/.test(long.token ?? ""), `${long.token}`);
  const hostile = encodeDetails(0, { address: "\x1b".repeat(300), dialect, token: "\n".repeat(300) });
  assert(hostile.length <= 256);
  assertEquals(parseDetails(hostile).token, "");
});

Deno.test("details that are not as they must be are refused", () => {
  for (
    const json of [
      "",
      "{}",
      '{"until":"1","address":null,"dialect":null,"token":null}',
      '{"until":1,"address":null,"dialect":"morse","token":null}',
    ]
  ) {
    assertEquals(assertThrows(() => parseDetails(bytesOf(json)), TrackerError).code, "BAD_REPLY");
  }
});
