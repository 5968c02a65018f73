import { assertEquals, assertThrows } from "@std/assert";
import { TrackerError } from "../../mod.ts";
import { loadNodeModules } from "../../lib/tcp/node_tls.ts";

Deno.test("TLS is served from Deno 2.9.2 on", () => {
  for (const version of ["2.9.2", "2.9.10", "2.10.0", "3.0.0", "2.9.2+1a2b3c4"]) loadNodeModules(version);
});

Deno.test("with an older Deno, TLS says what it needs", () => {
  for (const version of ["2.9.1", "2.8.3", "2.6.8", "1.46.3"]) {
    const error = assertThrows(() => loadNodeModules(version), TrackerError);
    assertEquals(error.code, "BAD_ARGUMENT");
    assertEquals(
      error.message,
      `Cannot speak TLS: a server needs Deno 2.9.2 or later for it, and this is ${version}`,
    );
  }
});
