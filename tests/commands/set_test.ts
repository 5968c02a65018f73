import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { output, startOwnServer } from "../support/command_clients.ts";
import { fail } from "../support/program.ts";

Deno.test("set leaves a state in the map and can replace it at once; unset removes it", async () => {
  await using server = startOwnServer();
  const { registry } = server;
  for (const state of ["begun", "done, 12 GB"]) {
    assertEquals(await output(["set", "backup", state, ...server.flags]), "");
    // The command ends only after the state is in the map: there is nothing to wait for.
    const entry = registry.get("backup");
    assertEquals([entry?.status, new TextDecoder().decode(entry?.state)], ["detached", state]);
  }
  assertEquals(await output(["unset", "backup", ...server.flags]), "backup is out of the map\n");
  assertEquals(registry.size, 0);
  assertEquals(await output(["unset", "backup", ...server.flags]), "backup was not in the map\n");
});

Deno.test("a state that was set leaves when its time is over", async () => {
  await using server = startOwnServer();
  const left = new Promise<string>((resolve) => {
    server.registry.subscribe(({ kind, entry }) => {
      if (kind === "leave") resolve(entry.id);
    });
  });
  await output(["set", "short", "x", "--for", "1s", ...server.flags]);
  assertEquals(server.registry.size, 1);
  assertEquals(await left, "short");
});

Deno.test("set and unset leave a connected client alone, unless they take over", async () => {
  await using server = startOwnServer();
  for (const command of [["set", "pi-7", "mine"], ["unset", "pi-7"]]) {
    await using client = await connect({ port: server.addr.port, name: "pi-7", state: "theirs" });
    assertEquals(
      await fail([...command, ...server.flags], 3),
      "tracker: Cannot take name pi-7: somebody else has it. " +
        "Choose another name, or take it from there with --takeover",
    );
    assertEquals(await client.getText(), "{pi-7=theirs}");
    const said = await output([...command, "--takeover", ...server.flags]);
    assertEquals(said, command[0] === "set" ? "" : "pi-7 is out of the map\n");
    await client.finished;
    assertEquals(client.error?.code, "TAKEN_OVER");
    assertEquals(server.registry.get("pi-7") !== undefined, command[0] === "set");
    await output(["unset", "pi-7", ...server.flags]);
  }
});

Deno.test("set and unset refuse invalid command lines", async () => {
  const wrong: [string[], string][] = [
    [["set", "backup"], "set needs a NAME and a STATE. Run 'tracker help set'"],
    [["unset"], "unset needs a NAME. Run 'tracker help unset'"],
    [["set", "a", "b", "c"], "unexpected argument c; NAME STATE are 2 arguments, so put spaces in quotes. Run"],
    [["set", "a", "-b"], "unknown flag -b; a NAME or STATE that begins with - goes after --. Run"],
    [
      ["set", "client1", "x"],
      "NAME must be 1 to 128 letters, digits and ._:- and not client1 or the like, not 'client1'",
    ],
    [["set", "a b", "x"], "NAME must be 1 to 128 letters"],
    [["set", "a", "x", "--for", "25h"], "--for must be from 1s to 24h, not '25h'. Run"],
    [["set", "a", "x", "--for", "0"], "--for must be from 1s to 24h, not '0'. Run"],
  ];
  for (const [args, message] of wrong) {
    assertMatch(await fail(args, 2), new RegExp(`^tracker: ${RegExp.escape(message)}`));
  }
});
