import { assertEquals, assertMatch } from "@std/assert";
import { Registry } from "../../mod.ts";
import { bytesOf, longLength } from "../support/bytes.ts";
import { output, startOwnServer, startScript } from "../support/command_clients.ts";
import { fail, run, startLiar, startServer } from "../support/program.ts";
import { greetingReply } from "../support/greeting.ts";

Deno.test("send takes its steps in order and prints each reply", async () => {
  await using server = await startServer();
  const result = await run(["send", ...server.flags, "open=a=b", "update=xyz", "get", "open", "get", "close"]);
  assertEquals(result, { code: 0, stdout: "done\n{client1=xyz}\ndone\n{client1=}\ndone\n", stderr: "" });
});

async function hex(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  await using server = await startServer();
  return await run(["send", "--hex", ...server.flags, ...args]);
}

Deno.test("send --hex explains every byte of the compact dialect", async () => {
  const { code, stdout } = await hex("--dialect", "compact", "open=abc", "update=xyz", "get", "close");
  assertEquals(code, 0);
  assertEquals(
    stdout,
    `\
open=abc
  sent      2a                       magic 42
            00                       type 0: Open
            03                       length 3
            61 62 63                 state "abc"
  received  01                       done
update=xyz
  sent      2a                       magic 42
            02                       type 2: Update
            04                       length 4
            03                       envelope: length 3 once more
            78 79 7a                 state "xyz"
get
  sent      2a                       magic 42
            03                       type 3: Get
  received  0d                                               length 13
            7b 63 6c 69 65 6e 74 31 3d 78 79 7a 7d           map "{client1=xyz}"
close
  sent      2a                       magic 42
            01                       type 1: Close
  received  01                       done
`,
  );
});

Deno.test("send --hex explains every byte of the wide dialect, 16 to a line", async () => {
  const { code, stdout } = await hex("open=abc", 'update=0123456789abcdef\x1b\\"é', "get");
  assertEquals(code, 0);
  assertEquals(
    stdout,
    `\
open=abc
  sent      2a                       magic 42
            00                       type 0: Open
            00 00 00 00 00 00 00 03  length 3
            61 62 63                 state "abc"
  received  01                       done
update=0123456789abcdef\\x1b\\"é
  sent      2a                                               magic 42
            02                                               type 2: Update
            00 00 00 00 00 00 00 15                          length 21
            30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  state "0123456789abcdef"
            1b 5c 22 c3 a9                                         "\\x1b\\\\\\"é"
get
  sent      2a                       magic 42
            03                       type 3: Get
  received  00 00 00 00 00 00 00 1f                          length 31
            7b 63 6c 69 65 6e 74 31 3d 30 31 32 33 34 35 36  map "{client1=0123456"
            37 38 39 61 62 63 64 65 66 1b 5c 22 c3 a9 7d         "789abcdef\\x1b\\\\\\"é}"
`,
  );
});

Deno.test("send --hex explains every byte of the java dialect", async () => {
  const { code, stdout } = await hex("--dialect=java", "open=[0,0]", "close");
  assertEquals(code, 0);
  assertEquals(
    stdout,
    `\
open=[0,0]
  sent      42                       magic 66
            01                       version 1
            00                       type 0: Open
            00 00 00 00 00 00 00 05  length 5
            5b 30 2c 30 5d           state "[0,0]"
  received  01                       done
close
  sent      42                       magic 66
            01                       version 1
            01                       type 1: Close
  received  01                       done
`,
  );
});

Deno.test("raw bytes are explained as the server reads them, and answered as often as they ask", async () => {
  // Two Updates in a row, which the parser reports as one, and bytes after a Close.
  const { code, stdout } = await hex("raw=2a:00:01:61 2a02020162 2a020163", "raw=2a03 2a01 2aff", "wait=60000");
  assertEquals(code, 0);
  assertEquals(
    stdout,
    `\
raw=2a:00:01:61 2a02020162 2a020163
  sent      2a                       magic 42
            00                       type 0: Open
            01                       length 1
            61                       state "a"
            2a                       magic 42
            02                       type 2: Update
            02                       length 2
            01                       envelope: length 1 once more
            62                       state "b"
            2a                       magic 42
            02                       type 2: Update
            01                       length 1
            63                       state "c"
  received  01                       done
raw=2a03 2a01 2aff
  sent      2a                       magic 42
            03                       type 3: Get
            2a                       magic 42
            01                       type 1: Close
            2a ff                    ignored: nothing counts after this
  received  0b                                               length 11
            7b 63 6c 69 65 6e 74 31 3d 63 7d                 map "{client1=c}"
  received  01                       done
wait=60000
`,
  );
});

Deno.test("raw bytes may be cut anywhere, and silence settles an empty compact state", async () => {
  const { code, stdout } = await hex("raw=2a", "raw=00", "raw=0361", "wait=1", "raw=6263", "raw=2a0000");
  assertEquals(code, 0);
  assertEquals(
    stdout,
    `\
raw=2a
  sent      2a                       magic 42 (unfinished: 1 or more bytes are missing)
raw=00
  sent      00                       type 0: Open (unfinished: 1 or more bytes are missing)
raw=0361
  sent      03 61                    unfinished: 2 or more bytes are missing
wait=1
raw=6263
  sent      62 63                    state "bc"
  received  01                       done
raw=2a0000
  sent      2a                       magic 42
            00                       type 0: Open
            00                       length 0: the state is empty
  received  01                       done
`,
  );
  const { stdout: silent } = await hex("raw=2a0000", "get");
  assertEquals(silent.includes('map "{client1=}"'), true);
});

Deno.test("invalid bytes are sent all the same, and the refusal is shown", async () => {
  const { code, stdout, stderr } = await hex("raw=2a0dff", "get");
  assertEquals([code, stderr], [1, "tracker: Cannot parse message: there is no type 13\n"]);
  assertEquals(
    stdout,
    `\
raw=2a0dff
  sent      2a 0d ff                 refused: Cannot parse message: there is no type 13
  received  00                                               error
            33                                               length 51
            42 41 44 5f 54 59 50 45 3a 20 43 61 6e 6e 6f 74  text "BAD_TYPE: Cannot"
            20 70 61 72 73 65 20 6d 65 73 73 61 67 65 3a 20       " parse message: "
            74 68 65 72 65 20 69 73 20 6e 6f 20 74 79 70 65       "there is no type"
            20 31 33                                              " 13"
`,
  );
});

Deno.test("a refusal of the last step is shown, although it asks for no reply", async () => {
  await using server = await startServer(["--log=off", "--max-state=2"]);
  const result = await run(["send", "--hex", ...server.flags, "raw=2a 02 03 61"]);
  assertEquals(result.code, 1);
  assertEquals(result.stderr, "tracker: Cannot parse state length: 3 is above the limit of 2\n");
  assertEquals(result.stdout.split("\n").slice(3, 6), [
    "            03 61                    unfinished: 2 or more bytes are missing",
    "(after the last step)",
    "  received  00                                               error",
  ]);
});

Deno.test("a refusal during a wait is shown", async () => {
  await using server = await startServer(["--log=off", "--idle-timeout=20ms"]);
  assertEquals(
    await fail(["send", ...server.flags, "wait=60000"], 1),
    "tracker: Cannot keep connection: nothing was heard for 20 ms",
  );
});

Deno.test("steps after a close are ignored, as by the server", async () => {
  await using server = await startServer();
  const { code, stdout, stderr } = await run(["send", ...server.flags, "close", "raw=2a03", "get"]);
  assertEquals([code, stdout, stderr], [0, "done\n", ""]);
});

Deno.test("send ends if the server closes early, or does not reply", async () => {
  {
    await using liar = startLiar(new Uint8Array(0));
    const args = ["send", "--server", `127.0.0.1:${liar.port}`];
    assertEquals(await fail([...args, "get"], 1), "tracker: Cannot receive reply: the server closed the connection");
  }
  {
    await using liar = startLiar(new Uint8Array(0));
    const args = ["send", "--server", `127.0.0.1:${liar.port}`];
    assertEquals(
      await fail([...args, "update=a", "wait=60000"], 1),
      "tracker: Cannot wait: the server closed the connection",
    );
  }
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  const args = ["send", "--timeout", "50ms", "--server", `127.0.0.1:${silent.addr.port}`, "get"];
  assertEquals(await fail(args, 1), "tracker: Cannot receive reply: none came within 50 ms");
  (await accepted).close();
});

Deno.test("an invalid reply is shown and explained", async () => {
  await using liar = startLiar(Uint8Array.of(7));
  const { code, stdout, stderr } = await run(["send", "--hex", "--server", `127.0.0.1:${liar.port}`, "open=a"]);
  const why = "Cannot parse reply: it begins with 7, which is no answer to an Open or a Close";
  assertEquals([code, stderr], [1, `tracker: ${why}\n`]);
  assertEquals(stdout.split("\n").at(-2), `  received  07                       no reply: ${why}`);
});

Deno.test("maps of any length arrive complete", async () => {
  await using server = await startServer();
  const state = "x".repeat(60_000);
  const { stdout } = await run(["send", ...server.flags, `open=${state}`, "get"]);
  assertEquals(stdout, `done\n{client1=${state}}\n`);
  const shown = await run(["send", "--hex", ...server.flags, `open=${state}`]);
  assertEquals(shown.stdout.match(/78/g)?.length, 60_000);
});

Deno.test("a connection that breaks is reported, even if no reply is pending", async () => {
  await using liar = startLiar(new Uint8Array(0), { abruptly: true });
  const updates = Array.from({ length: 200 }, () => `update=${"x".repeat(1_000)}`);
  const args = ["send", "--server", `127.0.0.1:${liar.port}`, ...updates];
  assertEquals(await fail(args, 1), "tracker: Cannot send: the server closed the connection");
});

Deno.test("send uses the extensions, and prints the replies as JSON", async () => {
  await using server = startOwnServer();
  const steps = [
    "hello",
    "open=a\x9bb",
    "ping",
    'list={"prefix":"client"}',
    "stats",
    "watch",
    "wait=100",
    "ping",
    "close",
  ];
  const [greeting, opened, pong, list, stats, watching, ...told] = (await output(["send", ...server.flags, ...steps]))
    .trimEnd().split("\n");
  assertEquals([opened, pong, watching], ["done", "done", "done"]);
  assertEquals(JSON.parse(greeting!).incarnation, server.registry.incarnation);
  assertEquals(JSON.parse(stats!).now.clients, 1);
  const { revision, clients: [{ openedAt, updatedAt, ...client }] } = JSON.parse(list!);
  assertEquals([revision, openedAt], [1, updatedAt]);
  assertEquals(client, { id: "client1", status: "live", revision: 1, state: "a\x9bb" });
  assertEquals(list!.includes("\x9b"), false);
  const { incarnation } = server.registry;
  assertEquals(told.slice(0, -1).map((line) => JSON.parse(line)), [
    { event: "snapshot", revision: 0 },
    { event: "present", revision: 1, id: "client1", status: "live", openedAt, updatedAt, until: 0, state: "a\x9bb" },
    { event: "synced", revision: 1, incarnation },
    { event: "pong", revision: 1 },
  ]);
  assertEquals(told.at(-1), "done");
});

Deno.test("events of a watch are printed by any step after it", async () => {
  await using server = startOwnServer();
  server.registry.open("x");
  for (const last of [["close"], ["raw=2a01"], ["get"], []]) {
    const { stdout, stderr } = await run(["send", ...server.flags, "hello", "watch", ...last]);
    assertMatch(stdout, /\ndone\n{"event":"snapshot",.+}\n{"event":"present",.+}\n{"event":"synced",.+}\n(done\n)?$/);
    assertEquals(
      stderr,
      last[0] === "get" ? "tracker: Cannot take message: Get cannot be sent on a connection that watches\n" : "",
    );
  }
});

Deno.test("send --hex explains every byte of the extensions", async () => {
  const registry = new Registry({ incarnation: "abc", now: () => 1_700_000_000_000 });
  await using server = startOwnServer({ registry });
  registry.open("x\x1b", { id: "pi\x9b 7" });
  const text = await output(["send", "--hex", ...server.flags, "hello", "list", "stats", "watch", "ping", "close"]);
  assertEquals(
    text.slice(text.indexOf("list\n"), text.indexOf("stats\n")),
    `\
list
  sent      2a                       magic 42
            06                       type 6: List
            00 00 00 00 00 00 00 02  length 2
            7b 7d                    JSON "{}"
  received  00 00 00 00 00 00 00 2f                          length 47
            00 00 00 00 00 00 00 01                          revision 1
            00 06 70 69 c2 9b 20 37 00 00 00 00 00 00 00 00  pi\\x9b\\x207 live, revision 1, opened at 1700000000000, updated at 1700000000000, state "x\\x1b"
            01 00 00 01 8b cf e5 68 00 00 00 01 8b cf e5 68
            00 00 00 00 02 78 1b
`,
  );
  assertEquals(
    text.slice(text.indexOf("\nwatch\n") + 1),
    `\
watch
  sent      2a                       magic 42
            05                       type 5: Watch
            00 00 00 00 00 00 00 02  length 2
            7b 7d                    JSON "{}"
  received  01                       done
ping
  sent      2a                       magic 42
            07                       type 7: Ping
  received  00 00 00 00 00 00 00 4a                          length 74
            0b 00 00 00 00 00 00 00 00 00 00                 snapshot, revision 0
            01 00 00 00 00 00 00 00 01 00 06 70 69 c2 9b 20  present pi\\x9b\\x207 live, revision 1, opened at 1700000000000, updated at 1700000000000, state "x\\x1b"
            37 00 00 00 01 8b cf e5 68 00 00 00 01 8b cf e5
            68 00 00 00 00 00 00 00 00 00 00 00 00 02 78 1b
            02 00 00 00 00 00 00 00 01 00 00 03 61 62 63     synced incarnation "abc", revision 1
  received  00 00 00 00 00 00 00 0b                          length 11
            08 00 00 00 00 00 00 00 01 00 00                 pong, revision 1
close
  sent      2a                       magic 42
            01                       type 1: Close
  received  01                       done
`,
  );
  for (
    const [start, lines] of [[
      "\nhello\n",
      /type 4: Hello\n.+length 2\n.+JSON "{}"\n.+done\n.+length \d+\n.+JSON "{\\"/,
    ], ["\nstats\n", /type 8: Stats\n.+length \d+\n.+JSON "{\\"/]] as const
  ) {
    assertMatch(`\n${text}`.split(start)[1]!, lines);
  }
});

Deno.test("an invalid list is reported", async () => {
  await using list = startScript([greetingReply(), bytesOf(longLength(9), longLength(1), 7)]);
  const { code, stderr } = await run(["send", "--hex", ...list.flags, "hello", "list"]);
  assertEquals([code, stderr], [1, "tracker: Cannot parse reply: its last part is cut off\n"]);
});
