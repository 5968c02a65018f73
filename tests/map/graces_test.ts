import { assertEquals, assertThrows } from "@std/assert";
import { TrackerError } from "../../mod.ts";
import { Graces } from "../../lib/map/graces.ts";

function refusalOf(act: () => void): [code: string, message: string, limit: string | undefined] {
  const { code, message, limit } = assertThrows(act, TrackerError);
  return [code, message, limit];
}

Deno.test("a holder may have a quarter of all graces, and gets its places back", () => {
  const graces = new Graces(8);
  const ada = ["address (10.0.0.1)"];
  for (let count = 0; count < 2; count++) graces.reserve(ada);
  assertEquals(refusalOf(() => graces.reserve(ada)), [
    "TOO_MANY_CLIENTS",
    "Cannot keep name: the limit of 2 names with a grace from one address (10.0.0.1) is reached",
    "suspects",
  ]);
  // Others are kept out by nobody else's share.
  graces.reserve(["address (10.0.0.2)"]);
  graces.release(ada);
  graces.reserve(ada);
  assertThrows(() => graces.reserve(ada), TrackerError);
});

Deno.test("a grace counts for its address and its token, whichever is used up first", () => {
  const graces = new Graces(8);
  graces.reserve(["address (10.0.0.1)", "token (robots)"]);
  graces.reserve(["address (10.0.0.2)", "token (robots)"]);
  const [, message] = refusalOf(() => graces.reserve(["address (10.0.0.3)", "token (robots)"]));
  assertEquals(message, "Cannot keep name: the limit of 2 names with a grace from one token (robots) is reached");
  graces.reserve(["address (10.0.0.3)", "token (drones)"]);
});

Deno.test("all graces together have a limit", () => {
  const graces = new Graces(4);
  for (let count = 0; count < 4; count++) graces.reserve([`address (10.0.0.${count})`]);
  const [, message] = refusalOf(() => graces.reserve(["address (10.0.0.9)"]));
  assertEquals(message, "Cannot keep name: the limit of 4 names with a grace is reached");
});

Deno.test("an exchange needs no second place, and one that fails leaves everything as it was", () => {
  const graces = new Graces(4);
  const [ada, ben] = [["address (a)"], ["address (b)"]];
  graces.reserve(ada);
  graces.exchange(ada, ada);
  graces.reserve(ben);
  assertThrows(() => graces.exchange(ada, ben), TrackerError);
  assertThrows(() => graces.reserve(ada), TrackerError);
  graces.release(ada);
  graces.reserve(ada);
});
