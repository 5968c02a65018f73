/** Dialling over TCP. */

import { assertEquals } from "@std/assert";
import { dial } from "../../mod.ts";
import { codeOf } from "../support/errors.ts";

/** Ports that the system may give to a connection that it makes, and as many again. */
const ATTEMPTS = 2 ** 16;

Deno.test({
  name: "a connection to itself counts as refused",
  ignore: Deno.build.os !== "linux",
  async fn() {
    // Linux gives connections the even ports of its range in turn, and listeners the odd ones: so the port comes up.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = listener.addr.port & ~1;
    listener.close();
    const { connect } = Deno;
    let made = 0;
    Deno.connect = (async (options: Deno.ConnectOptions) => {
      const connection = await connect(options);
      made++;
      return connection;
    }) as typeof connect;
    try {
      for (let attempt = 0; attempt < ATTEMPTS && made === 0; attempt++) {
        assertEquals(await codeOf(dial("127.0.0.1", port, undefined, 0)), "CONNECTION_REFUSED");
      }
    } finally {
      Deno.connect = connect;
    }
    assertEquals(made, 1, "the system never connected the port to itself");
  },
});
