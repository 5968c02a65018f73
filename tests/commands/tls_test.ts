import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, type KeyPair, TrackerError } from "../../mod.ts";
import { loadNodeModules } from "../../lib/tcp/node_tls.ts";
import { Authority, LONG_AGO } from "../support/certificates.ts";
import {
  commandLine,
  fail,
  noSighup,
  permissionsAreFixed,
  run,
  Running,
  RunningServer,
  runtimeVersion,
  startServer,
  testUnless,
} from "../support/program.ts";

/** Why the program that is tested cannot serve TLS, if it cannot: a standalone one may be built with an older Deno. */
const noTls = await reasonWithoutTls();

async function reasonWithoutTls(): Promise<string | undefined> {
  const deno = await runtimeVersion();
  try {
    loadNodeModules(deno);
  } catch (error) {
    if (error instanceof TrackerError) return error.message;
    throw error;
  }
}

let made: Promise<Authority> | undefined;

/** Files with certificates and keys. */
class Files implements AsyncDisposable {
  readonly directory: string;
  readonly authority: Authority;

  private constructor(directory: string, authority: Authority) {
    this.directory = directory;
    this.authority = authority;
  }

  static async create(): Promise<Files> {
    const files = new Files(await Deno.makeTempDir({ prefix: "tracker-tls-" }), await (made ??= Authority.create()));
    await files.write("ca", files.authority.cert);
    await files.pair(files.authority.issue());
    return files;
  }

  path(name: string): string {
    return `${this.directory}/${name}.pem`;
  }

  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(this.path(name), text, { mode: 0o600 });
  }

  async pair({ cert, key }: KeyPair): Promise<void> {
    await this.write("cert", cert);
    await this.write("key", key);
  }

  /** The flags of a server that uses them. */
  get flags(): string[] {
    return ["--tls-cert", this.path("cert"), "--tls-key", this.path("key"), "--tls-port", "0"];
  }

  /** Starts a server that accepts only TLS. */
  serve(...args: string[]): Promise<RunningServer> {
    const line = ["serve", "--log", "json", ...this.flags, ...args];
    return new RunningServer(commandLine(line, this.permissions)).listening();
  }

  get trust(): { caCerts: string[] } {
    return { caCerts: [this.authority.cert] };
  }

  get permissions(): string[] {
    return ["-N", `-R=${this.directory}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

testUnless(noTls, "serve accepts TLS with a certificate, and every client command uses it with --ca", async () => {
  await using files = await Files.create();
  await using server = await files.serve();
  const { permissions } = files;
  const found = ["--server", `localhost:${server.port}`, "--ca", files.path("ca")];
  assertEquals(await run(["get", ...found], { permissions }), { code: 0, stdout: "{}\n", stderr: "" });
  const sent = await run(["send", ...found, "open=abc", "get", "close"], { permissions });
  assertEquals(sent, { code: 0, stdout: "done\n{client1=abc}\ndone\n", stderr: "" });
  assertEquals((await run(["open", ...found, "idle"], { permissions })).code, 0);
  await server.logged({ event: "leave", id: "client2", cause: "close" });
  await using watch = new Running(commandLine(["watch", ...found, "--json"], permissions));
  const told = async () => JSON.parse(await watch.stdout.line()).event;
  assertEquals([await told(), await told(), await told()], ["connected", "snapshot", "synced"]);
  await using _client = await connect({ port: server.port, tls: files.trust, name: "pi-7", state: "idle" });
  assertEquals(await told(), "join");
  const { stdout } = await run(["list", ...found, "--json"], { permissions });
  assertEquals(JSON.parse(stdout).clients.map(({ id }: { id: string }) => id), ["pi-7"]);
  server.kill("SIGTERM");
  assertEquals((await server.end()).code, 0);
});

testUnless(
  noTls,
  "serve with a certificate accepts plain connections only if --port is given, and prints both addresses",
  async () => {
    await using files = await Files.create();
    await using server = new RunningServer(commandLine(["serve", "--port", "0", ...files.flags], files.permissions));
    const first = await server.stdout.line();
    const second = await server.stdout.line();
    assertMatch(first, /^tracker \S+ listening on 127\.0\.0\.1:\d+$/);
    assertMatch(second, /^tracker \S+ listening on 127\.0\.0\.1:\d+ with TLS$/);
    const plain = Number(first.split(":").at(-1));
    await using client = await connect({ port: plain, state: "abc" });
    assertEquals(await client.getText(), "{client1=abc}");
  },
);

testUnless(noSighup ?? noTls, "commands say what to do when TLS fails", async () => {
  await using files = await Files.create();
  await using server = await files.serve();
  const address = `127.0.0.1:${server.port}`;
  const found = ["--server", address];
  const { permissions } = files;
  assertEquals(
    await fail(["get", ...found], 1),
    "tracker: Cannot parse reply: the server speaks TLS on this port, and this connection does not. Use --tls",
  );
  assertEquals(
    await fail(["get", "--tls", ...found], 1),
    `tracker: Cannot trust the certificate of ${address}: no authority that is trusted here has issued it (caCerts ` +
      "adds one), or the server does not send the intermediate certificates between the two. Name a file with its authority's certificate: --ca FILE",
  );
  await using plain = await startServer();
  assertEquals(
    await fail(["get", "--tls", ...plain.flags], 1),
    `tracker: Cannot connect to 127.0.0.1:${plain.port}: the server speaks no TLS on this connection. ` +
      "Leave out --tls and --ca, or name the port for TLS",
  );
  await plain.logged({ event: "error", code: "BAD_MAGIC" });
  const trusting = (host: string) => ["get", "--ca", files.path("ca"), "--server", `${host}:${server.port}`];
  await files.pair(files.authority.issue({ from: new Date(0), to: LONG_AGO }));
  server.kill("SIGHUP");
  await server.logged({ event: "reload" });
  assertMatch(await fail(trusting("localhost"), 1, { permissions }), /: it (expired on|has expired).*; renew it, or /);
  await files.pair(files.authority.issue({ names: ["example.com"] }));
  server.kill("SIGHUP");
  await server.logged({ event: "reload" });
  assertMatch(await fail(trusting("localhost"), 1, { permissions }), /: it is for (example\.com|another name)/);
  await server.logged({ event: "tls-error", code: "TLS_FAILED" });
});

testUnless(
  noSighup ?? noTls,
  "SIGHUP reloads the certificate: connected clients stay, new ones get the new certificate",
  async () => {
    await using files = await Files.create();
    await using server = await files.serve();
    const caCerts = [files.authority.cert];
    await using early = await connect({ port: server.port, tls: { caCerts }, state: "early" });
    const other = await Authority.create("Other Authority");
    await files.pair(other.issue());
    server.kill("SIGHUP");
    const { time: _, ...line } = await server.logged({ event: "reload" });
    assertEquals(line, { event: "reload", what: "certificate" });
    await using late = await connect({ port: server.port, tls: { caCerts: [other.cert] }, state: "late" });
    assertEquals(await early.getText(), "{client1=early, client2=late}");
    assertEquals(await late.getText(), "{client1=early, client2=late}");
  },
);

testUnless(noSighup ?? noTls, "SIGHUP with an unusable certificate is logged, and the old one stays", async () => {
  await using files = await Files.create();
  await using server = await files.serve();
  for (const [cert, reason] of [["", /no certificate in it/], [null, /^Cannot read the certificate .*No such file/]]) {
    if (typeof cert === "string") await files.write("cert", cert);
    else await Deno.remove(files.path("cert"));
    server.kill("SIGHUP");
    const { what, message } = await server.logged({ event: "reload-error" });
    assertEquals(what, "certificate");
    assertMatch(String(message), reason as RegExp);
    await using client = await connect({ port: server.port, tls: { caCerts: [files.authority.cert] } });
    assertEquals(await client.getText(), "{}");
  }
});

testUnless(noSighup ?? noTls, "SIGHUP reloads the tokens, and keeps them if the file is invalid", async () => {
  await using files = await Files.create();
  const path = files.path("tokens");
  const write = (token: string) => Deno.writeTextFile(path, `robots:${token}\n`, { mode: 0o600 });
  const [first, second] = ["the-first-token-there-is", "the-second-token-there-is"] as const;
  await write(first);
  await using server = await files.serve("--token-file", path);
  const options = { port: server.port, tls: files.trust };
  await using early = await connect({ ...options, token: first, state: "early" });
  await write(second);
  server.kill("SIGHUP");
  await server.logged({ event: "reload", what: "tokens" });
  await using late = await connect({ ...options, token: second });
  assertEquals(await late.getText(), "{client1=early}");
  assertEquals(await early.getText(), "{client1=early}");
  await assertRejects(() => connect({ ...options, token: first }), TrackerError, "the token is not known here");
  await write("short");
  server.kill("SIGHUP");
  await server.logged({ event: "reload-error", what: "tokens" });
  await using _last = await connect({ ...options, token: second });
});

testUnless(
  noSighup ?? noTls,
  "serve refuses a private key that others can read, also when it reads it again",
  async () => {
    await using files = await Files.create();
    const { flags, permissions } = files;
    await using server = await files.serve();
    await Deno.chmod(files.path("key"), 0o644);
    const why = `others can read it: chmod 600 ${files.path("key")}`;
    assertEquals(
      await fail(["serve", ...flags], 1, { permissions }),
      `tracker: Cannot use the key ${files.path("key")}: ${why}`,
    );
    server.kill("SIGHUP");
    await server.logged({ event: "reload-error", what: "certificate" });
  },
);

testUnless(noTls, "files of serve may begin with a byte order mark", async () => {
  await using files = await Files.create();
  const { cert, key } = files.authority.issue();
  await files.pair({ cert: `\ufeff${cert}`, key: `\ufeff${key}` });
  await using _server = await files.serve();
});

testUnless(noTls, "serve refuses an unusable certificate in one line", async () => {
  await using files = await Files.create();
  const { flags, permissions } = files;
  const advice = "Look at the files of --tls-cert and --tls-key";
  await files.write("key", files.authority.otherKey);
  assertEquals(
    await fail(["serve", ...flags], 1, { permissions }),
    `tracker: Cannot use certificate: the key is not the key of this certificate. ${advice}`,
  );
  await Deno.remove(files.path("key"));
  await Deno.mkdir(files.path("key"));
  assertStringIncludes(
    await fail(["serve", ...flags], 1, { permissions }),
    `tracker: Cannot read the key ${files.path("key")}: `,
  );
  await Deno.remove(files.path("key"));
  assertStringIncludes(
    await fail(["serve", ...flags], 1, { permissions }),
    `tracker: Cannot read the key ${files.path("key")}: `,
  );
  for (const incomplete of [flags.slice(0, 2), flags.slice(2, 4), flags.slice(4)]) {
    assertEquals(
      await fail(["serve", ...incomplete], 2, { permissions }),
      "tracker: TLS needs both --tls-cert and --tls-key. Run 'tracker help serve'",
    );
  }
});

testUnless(
  permissionsAreFixed ?? noTls,
  "serve and get report the permission that they need to read a certificate",
  async () => {
    await using files = await Files.create();
    const path = files.path("cert");
    assertEquals(
      await fail(["serve", ...files.flags], 1),
      `tracker: Cannot read the certificate ${path}: Deno was not given the permission (-R=${path} grants it)`,
    );
    const ca = files.path("ca");
    assertEquals(
      await fail(["get", "--ca", ca], 1),
      `tracker: Cannot read the certificates ${ca}: Deno was not given the permission (-R=${ca} grants it)`,
    );
  },
);
