import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { secretFile } from "../support/command_clients.ts";
import {
  commandLine,
  connectEventually,
  fail,
  permissionsAreFixed,
  run,
  RunningServer,
  startServer,
  testUnless,
} from "../support/program.ts";

Deno.test("serve prints where it listens, serves, and logs a client that comes and goes as JSON", async () => {
  await using server = await startServer();
  assertEquals(server.hostname, "127.0.0.1");
  await using client = await connect({ port: server.port, state: "abc" });
  const { time, peer, ...join } = await server.logged({ event: "join" });
  assertEquals(join, { event: "join", id: "client1", dialect: "wide" });
  assert(Date.parse(String(time)) > 0);
  assertMatch(String(peer), /^127\.0\.0\.1:\d+$/);
  await client.close();
  await server.logged({ event: "leave", id: "client1", peer, cause: "close" });
});

Deno.test("serve logs errors with their code", async () => {
  await using server = await startServer();
  assertEquals((await run(["send", ...server.flags, "raw=07"])).code, 1);
  const { message } = await server.logged({ event: "error", code: "BAD_MAGIC" });
  assertEquals(message, "Cannot parse message: it begins with 7, not 42 or 66");
});

Deno.test("serve logs text by default, and nothing with --log off", async () => {
  for (const [args, lines] of [[[], 2], [["--log=off"], 0]] as const) {
    await using server = await startServer(args);
    await (await connect({ port: server.port, state: "abc" })).close();
    server.kill("SIGTERM");
    const { code, stderr } = await server.end();
    assertEquals(code, 0);
    const [join = "", leave = ""] = stderr.split("\n");
    assertEquals(stderr.split("\n").length - 1, lines);
    if (lines === 0) continue;
    assertMatch(join, /^[0-9-]+T[0-9:.]+Z join client1 127\.0\.0\.1:\d+ wide$/);
    assertMatch(leave, /^[0-9-]+T[0-9:.]+Z leave client1 127\.0\.0\.1:\d+ close$/);
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`serve drains on ${signal} and ends with exit code 0`, async () => {
    await using server = await startServer();
    await using client = await connect({ port: server.port, state: "abc" });
    await server.logged({ event: "join" });
    server.kill(signal);
    await client.finished;
    assertEquals(client.error?.code, "SHUTTING_DOWN");
    assertEquals((await server.end()).code, 0);
  });
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`serve ends at once on a second signal, ${signal}`, async () => {
    await using server = await startServer();
    // It stays connected, so the server waits for it.
    using connection = await Deno.connect({ port: server.port });
    await connection.write(Uint8Array.of(42, 0, 1, 97));
    await server.logged({ event: "join" });
    server.kill("SIGTERM");
    await server.logged({ event: "leave", cause: "shutdown" });
    server.kill(signal);
    assertEquals((await server.end()).code, code);
  });
}

Deno.test("serve reports that the port is taken, and what to do", async () => {
  await using server = await startServer();
  assertEquals(
    await fail(["serve", "--port", `${server.port}`], 1),
    `tracker: Cannot listen on 127.0.0.1:${server.port}: another program already does. ` +
      "Choose another port with --port, or stop the other program",
  );
});

Deno.test("serve takes host and port from the environment, unless flags are given", async () => {
  await using server = await startServer();
  const permissions = ["-N", "--allow-env=TRACKER_HOST,TRACKER_PORT"];
  const where = (line: string) => /^tracker: Cannot listen on (\S+): /.exec(line)?.[1];
  // Each fails and says where: the host is one of those reserved for documentation, or the port is taken.
  const taken = { TRACKER_PORT: `${server.port}` };
  assertEquals(where(await fail(["serve"], 1, { permissions, env: taken })), `127.0.0.1:${server.port}`);
  const foreign = { ...taken, TRACKER_HOST: "192.0.2.1" };
  assertEquals(where(await fail(["serve"], 1, { permissions, env: foreign })), `192.0.2.1:${server.port}`);
  assertEquals(where(await fail(["serve", "--port=0"], 1, { permissions, env: foreign })), "192.0.2.1:0");
  assertEquals(
    where(await fail(["serve", "--host=127.0.0.1"], 1, { permissions, env: foreign })),
    `127.0.0.1:${server.port}`,
  );
  assertEquals(
    await fail(["serve"], 2, { permissions, env: { TRACKER_PORT: "tcp://10.0.0.1:6789" } }),
    "tracker: TRACKER_PORT must be an integer from 0 to 65535, not 'tcp://10.0.0.1:6789'. Run 'tracker help serve'",
  );
});

Deno.test("serve reports that a host is not an address of this machine", async () => {
  // Reserved for documentation.
  const line = await fail(["serve", "--host", "192.0.2.1", "--port", "0"], 1);
  assertMatch(line, /^tracker: Cannot listen on 192\.0\.2\.1:0: .+\. Give --host an address of this machine, such as /);
});

testUnless(permissionsAreFixed, "serve and get report a missing permission", async () => {
  const options = { permissions: [] };
  assertEquals(
    await fail(["serve", "--port", "0"], 1, options),
    "tracker: Cannot listen on 127.0.0.1:0: Deno was not given the permission. " +
      "Run deno with -N: deno run -N main.ts serve",
  );
  assertEquals(
    await fail(["get"], 1, options),
    "tracker: Cannot connect to 127.0.0.1:6789: Deno was not given the permission (-N grants it)",
  );
});

Deno.test("serve warns in one line that other machines can connect", async () => {
  await using server = await startServer(["--host", "0.0.0.0"]);
  assertEquals(
    await server.stderr.line(),
    `tracker: warning: 0.0.0.0:${server.port} accepts other machines: any client that can connect may read and write ` +
      "every state",
  );
  await (await connect({ port: server.port })).close();
  server.kill("SIGTERM");
  assertEquals((await server.end()).code, 0);
});

function hasIPv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

const noIPv6 = hasIPv6() ? undefined : "this machine has no IPv6";

testUnless(noIPv6, "serve listens on IPv6, and get connects to it", async () => {
  await using server = await startServer(["--host", "[::1]"]);
  assertEquals(server.hostname, "[::1]");
  assertEquals((await run(["get", ...server.flags])).stdout, "{}\n");
});

Deno.test("serve enforces a dialect and its limits", async () => {
  const flags = ["--log=json", "--dialect=java", "--max-state=4", "--max-clients=1", "--message-timeout=100ms"];
  await using server = await startServer(flags);
  const send = (...args: string[]) => fail(["send", ...server.flags, ...args], 1);
  assertMatch(await send("open=abc"), /: it begins with 42, not 66$/);
  assertMatch(await send("--dialect=java", "open=abcde"), /: 5 is above the limit of 4$/);
  assertMatch(await send("raw=42", "wait=10000"), /: a message was not complete 100 ms after it began$/);
  // The only place is free once the server is done with the previous connection.
  await using client = await connectEventually({ port: server.port, state: "a", dialect: "java" });
  assertMatch(await send("--dialect=java", "get"), /: the limit of 1 is reached$/);
  await client.close();
});

Deno.test("serve drops clients that are silent for too long", async () => {
  await using server = await startServer(["--log=json", "--idle-timeout=50ms"]);
  await using client = await connect({ port: server.port, state: "abc" });
  await server.logged({ event: "leave", cause: "timeout" });
  await client.finished;
  assertEquals(client.error?.code, "TIMEOUT");
});

Deno.test("serve goes on when its output is closed", async () => {
  await using server = await startServer();
  await server.stdout.cancel();
  await server.stderr.cancel();
  for (let count = 0; count < 5; count++) await (await connect({ port: server.port, state: "abc" })).close();
  server.kill("SIGTERM");
  assertEquals((await server.end()).code, 0);
});

Deno.test("serve warns that tokens can be seen where they are sent without TLS from other machines", async () => {
  await using file = await secretFile("robots:0123456789abcdef");
  const permissions = ["-N", "-R"];
  const args = ["serve", "--port", "0", "--token-file", file.path];
  for (const [host, warns] of [["0.0.0.0", true], ["127.0.0.1", false]] as const) {
    await using server = await new RunningServer(commandLine([...args, "--host", host], permissions)).listening();
    server.kill("SIGTERM");
    const { stderr } = await server.end();
    assertEquals(stderr.includes(" takes tokens without TLS: whoever sees the connection can use them"), warns, stderr);
  }
});

Deno.test("serve --host localhost is found by a client that is not told where to look", async () => {
  await using server = await startServer(["--host", "localhost"]);
  assertEquals(server.hostname, "127.0.0.1");
  await (await connect({ port: server.port })).close();
});

Deno.test("serve --proxy-from takes the address that a proxy tells", async () => {
  await using server = await startServer(["--proxy-from", "127.0.0.0/8", "--log", "json"]);
  using connection = await Deno.connect({ port: server.port });
  await connection.write(new TextEncoder().encode("PROXY TCP4 192.0.2.7 127.0.0.1 50000 6789\r\n*\x00\x01x"));
  await server.logged({ event: "join", peer: "192.0.2.7:50000" });
});
