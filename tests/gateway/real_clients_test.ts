/** Programs that others have written, against the gateway: curl, browsers, the package ws, nginx, wrk. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Registry, serve, type Server } from "../../mod.ts";
import { Gateway } from "../../lib/gateway/mod.ts";
import { Browser, noBrowser } from "../support/browser.ts";
import { bytesOf, longLength, textOf } from "../support/bytes.ts";
import { WebSocket as NodeWebSocket } from "../support/packages/ws.ts";
import { read } from "../support/page.ts";
import { freePort, isInstalled, testUnless } from "../support/program.ts";
import { WebBench } from "./support/web_bench.ts";

const noCurl = await isInstalled("curl") ? undefined : "curl is not installed";
const noNginx = await isInstalled("nginx", "-v") ? undefined : "nginx is not installed";
const noWrk = await isInstalled("wrk", "-v") ? undefined : "wrk is not installed";

async function runProgram(program: string, args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).output();
  return { code, out: textOf(stdout), err: textOf(stderr) };
}

testUnless(noCurl, "curl keeps its connection, and reads HEAD and Expect as they are meant", async () => {
  await using web = new WebBench();
  const kept = await runProgram("curl", ["-sv", web.urlOf("/map"), web.urlOf("/clients"), web.urlOf("/health/live")]);
  assertEquals(kept.code, 0);
  assertMatch(kept.err, /Re-using existing connection|Reusing existing connection/);
  const head = await runProgram("curl", ["-sI", "-m", "5", web.urlOf("/clients")]);
  assertMatch(head.out, /^HTTP\/1.1 200 OK\r\n[^]*Content-Length: 28\r\n/);
  const state = "x".repeat(30_000);
  const put = [
    "-sv",
    "-m",
    "5",
    "-X",
    "PUT",
    "-H",
    "Expect: 100-continue",
    "--data-binary",
    state,
    web.urlOf("/clients/a"),
  ];
  assertMatch((await runProgram("curl", put)).err, /100 Continue[^]*201 Created/);
  assertEquals(web.registry.get("a")?.stateLength, 30_000);
  const chunked = [
    "-s",
    "-m",
    "5",
    "-X",
    "PUT",
    "-H",
    "Transfer-Encoding: chunked",
    "-d",
    "x",
    web.urlOf("/clients/b"),
  ];
  assertEquals(JSON.parse((await runProgram("curl", chunked)).out).code, "LENGTH_REQUIRED");
  const old = await runProgram("curl", ["-s0", "-m", "5", web.urlOf("/health/ready")]);
  assertEquals(JSON.parse(old.out), { status: "ready" });
});

testUnless(noCurl, "curl follows the map, and is told each change as it happens", async () => {
  await using web = new WebBench();
  const curl = new Deno.Command("curl", { args: ["-sN", web.urlOf("/watch")], stdout: "piped" }).spawn();
  const reader = curl.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (part: string) => {
    while (!text.includes(part)) text += (await reader.read()).value;
  };
  await until("event: synced");
  web.registry.open("here", { id: "a" });
  await until('"id":"a","state":"here"');
  curl.kill("SIGINT");
  await curl.status;
  await reader.cancel();
});

Deno.test("the package ws speaks Tracker over its WebSocket", async () => {
  await using web = new WebBench();
  const socket = new NodeWebSocket(`ws://127.0.0.1:${web.port}/ws`, "tracker", { perMessageDeflate: true });
  const received: number[] = [];
  const pongs: string[] = [];
  const opened = new Promise<void>((resolve) => socket.on("open", resolve));
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  socket.on("message", (data) => received.push(...data));
  socket.on("pong", (data) => pongs.push(textOf(data)));
  await opened;
  assertEquals(socket.protocol, "tracker");
  socket.send(bytesOf(42, 0, longLength(3)), { binary: true, fin: false });
  socket.ping(bytesOf("hi"));
  socket.send(bytesOf("abc"), { binary: true, fin: true });
  await web.until(() => web.registry.get("client1")?.stateLength === 3);
  socket.send(bytesOf(42, 2, longLength(60_000), "x".repeat(60_000), 42, 3));
  while (received.length < 60_000) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(pongs, ["hi"]);
  socket.close(1_000, "bye");
  assertEquals(await closed, 1_000);
  await web.until(() => web.registry.size === 0);
});

Deno.test("the package ws is told why it was refused", async () => {
  await using web = new WebBench();
  const socket = new NodeWebSocket(`ws://127.0.0.1:${web.port}/ws`);
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  socket.on("open", () => socket.send("text"));
  assertEquals(await closed, 1_003);
});

/** A site of its own, with one page, and a server that its pages may ask. */
class Site implements AsyncDisposable {
  readonly web: WebBench;
  html = "";
  readonly #server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (): Response => {
    return new Response(this.html, { headers: { "Content-Type": "text/html" } });
  });

  constructor() {
    this.web = new WebBench({ allowOrigin: [this.url("127.0.0.1")] });
  }

  url(host: string): string {
    return `http://${host}:${this.#server.addr.port}`;
  }

  async open(script: string, host = "127.0.0.1"): Promise<Browser> {
    this.html = `<!doctype html><script>const base = "${this.web.urlOf("")}"; ${script}</script>`;
    return await Browser.open(this.url(host));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.web[Symbol.asyncDispose]();
    await this.#server.shutdown();
  }
}

testUnless(noBrowser, "a browser's EventSource resumes where it was, through a restart of the server", async () => {
  const port = freePort();
  const registry = new Registry();
  await using site = new Site();
  const start = () => serve({ port, registry, http: new Gateway({ allowOrigin: [site.url("127.0.0.1")] }) });
  let server = start();
  registry.open("1", { id: "a" });
  await using browser = await site.open(`
    const seen = [];
    const events = new EventSource("http://127.0.0.1:${port}/watch");
    for (const kind of ["snapshot", "present", "synced", "join", "update", "leave"]) {
      events.addEventListener(kind, ({ data, lastEventId }) => seen.push([kind, JSON.parse(data).id ?? null, lastEventId]));
    }`);
  await browser.until("seen.some(([kind]) => kind === 'synced')");
  const entry = registry.open("2", { id: "b" });
  await browser.until("seen.some(([, id]) => id === 'b')");
  assertEquals(await browser.evaluate("seen.at(-1)[2]"), `${registry.incarnation}:2`);
  await server.shutdown({ timeout: 0 });
  // The map goes on while nobody can see it.
  registry.close(entry);
  registry.open("3", { id: "c" });
  server = start();
  await browser.until("seen.some(([, id]) => id === 'c')");
  const kinds = await browser.evaluate<string[]>("seen.map(([kind]) => kind)");
  assertEquals(kinds.filter((kind) => kind !== "synced"), ["snapshot", "present", "join", "leave", "join"]);
  await browser.evaluate("events.close()");
  await server.shutdown({ timeout: 0 });
});

testUnless(noBrowser, "the page's example shows who is there", async () => {
  await using site = new Site();
  const { registry, port } = site.web;
  const page = /```html\n([^]*?)```/.exec(await read("lib/gateway/README.md"))![1]!;
  registry.open("1", { id: "a" });
  site.html = page.replace("6789", `${port}`);
  await using browser = await Browser.open(site.url("127.0.0.1"));
  const text = "document.querySelector('#here')?.textContent";
  await browser.until(`${text} === 'a=1'`);
  const entry = registry.open("<b>2</b>", { id: "b" });
  await browser.until(`${text} === 'a=1, b=<b>2</b>'`);
  registry.close(entry);
  await browser.until(`${text} === 'a=1'`);
});

const SOCKET = `
  const got = [];
  let code = null;
  const socket = new WebSocket(base.replace("http", "ws") + "/ws");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(Uint8Array.of(42, 0, 0, 0, 0, 0, 0, 0, 0, 1, 97, 42, 3));
  socket.onmessage = ({ data }) => got.push(...new Uint8Array(data));
  socket.onclose = (event) => code = event.code;`;

testUnless(noBrowser, "a browser's WebSocket carries Tracker's bytes", async () => {
  await using site = new Site();
  await using browser = await site.open(SOCKET);
  await browser.until("got.length >= 20");
  assertEquals(await browser.evaluate("String.fromCharCode(...got.slice(9))"), "{client1=a}");
  await browser.evaluate("socket.close(1000)");
  await browser.until("code !== null");
  assertEquals(await browser.evaluate("code"), 1_000);
});

testUnless(noBrowser, "a page of another site gets neither a WebSocket nor an answer", async () => {
  await using site = new Site();
  // The same page under another name is another site.
  await using browser = await site.open(SOCKET, "localhost");
  await browser.until("code !== null");
  assertEquals(await browser.evaluate("code"), 1_006);
  assertEquals(await browser.evaluate("fetch(base + '/map').then(() => 'read', () => 'refused')"), "refused");
  assertEquals(
    await browser.evaluate("fetch(base + '/clients/a', { method: 'PUT' }).then(() => 'set', () => 'refused')"),
    "refused",
  );
  assertEquals(site.web.registry.size, 0);
});

/** nginx in front of a server, as the page shows it. */
class Nginx implements AsyncDisposable {
  readonly port = freePort();
  readonly #directory: string;
  #process!: Deno.ChildProcess;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(upstream: number): Promise<Nginx> {
    const nginx = new Nginx(await Deno.makeTempDir());
    const block = /```nginx\n([^]*?)```/.exec(await read("lib/gateway/README.md"))![1]!;
    const site = block.replace("8080", `127.0.0.1:${nginx.port}`).replace("6789", `${upstream}`);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
      `${name}_temp_path ${nginx.#directory};`
    );
    const conf = `daemon off; pid ${nginx.#directory}/pid; error_log stderr error; events {}
      http { access_log off; ${paths.join(" ")} ${site} }`;
    await Deno.writeTextFile(`${nginx.#directory}/conf`, conf);
    await nginx.spawn();
    return nginx;
  }

  async spawn(): Promise<void> {
    this.#process = new Deno.Command("nginx", {
      args: ["-p", this.#directory, "-c", "conf", "-e", "stderr"],
      stderr: "null",
      stdout: "null",
    }).spawn();
    for (;;) {
      try {
        (await Deno.connect({ port: this.port })).close();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** Stops and starts again; every connection through it breaks. */
  async restart(): Promise<void> {
    await this.stop();
    await this.spawn();
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** A program that follows the map as an EventSource does, through a proxy. */
class Follower {
  readonly #port: number;
  readonly map = new Map<string, string>();
  /** How often a snapshot has begun. */
  snapshots = 0;
  lastEventId = "";
  readonly #over = new AbortController();

  constructor(port: number) {
    this.#port = port;
  }

  async follow(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#once().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  stop(): void {
    this.#over.abort();
  }

  async #once(): Promise<void> {
    const { signal } = this.#over;
    const headers = this.lastEventId === "" ? {} : { "Last-Event-ID": this.lastEventId };
    const response = await fetch(`http://127.0.0.1:${this.#port}/tracker/watch`, { headers, signal });
    if (!response.ok) return void await response.body?.cancel();
    let text = "";
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + part).split("\n\n");
      text = events.pop()!;
      for (const event of events) this.#take(event);
    }
  }

  #take(text: string): void {
    const [, data] = /^data: (.*)$/m.exec(text) ?? [];
    const [, id] = /^id: ?(.*)$/m.exec(text) ?? [];
    if (data !== undefined && text.includes("event: ")) this.#apply(JSON.parse(data));
    if (id !== undefined) this.lastEventId = id;
  }

  #apply({ event, id, state }: { event: string; id: string; state?: string }): void {
    if (event === "snapshot") {
      this.snapshots++;
      this.map.clear();
    }
    if (state !== undefined) this.map.set(id, state);
    if (event === "leave") this.map.delete(id);
  }
}

function mapOf({ registry }: Server): Record<string, string> {
  return Object.fromEntries(Array.from(registry.entries(), ({ id, state }) => [id, textOf(state)]));
}

testUnless(noNginx, "through nginx, a stream misses nothing when proxy or server are started again", async () => {
  const port = freePort();
  let server = serve({ port, http: new Gateway() });
  await using nginx = await Nginx.start(port);
  const follower = new Follower(nginx.port);
  const following = follower.follow();
  const agree = async () => {
    const wanted = () => JSON.stringify(Object.entries(mapOf(server)).sort());
    while (JSON.stringify([...follower.map].sort()) !== wanted()) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const change = (round: number) => {
    const { registry } = server;
    for (let at = 0; at < 50; at++) {
      const entry = registry.get(`pi-${at}`);
      if (entry === undefined) registry.open(`${round}`, { id: `pi-${at}` });
      else if (at % 3 === round % 3) registry.close(entry);
      else registry.update(entry, `${round}`);
    }
  };
  change(0);
  await agree();
  for (let round = 1; round <= 3; round++) {
    await nginx.stop();
    change(round);
    await nginx.spawn();
    await agree();
  }
  // Whatever happened while nobody was connected was told without another snapshot.
  assertEquals(follower.snapshots, 1);
  await server.shutdown({ timeout: 0 });
  server = serve({ port, http: new Gateway() });
  change(4);
  await agree();
  assertEquals(follower.snapshots, 2);
  assert(follower.lastEventId.startsWith(server.registry.incarnation));
  follower.stop();
  await following;
  await server.shutdown({ timeout: 0 });
});

testUnless(noWrk, "under the load of wrk every request is answered", async () => {
  await using web = new WebBench();
  web.registry.open("x", { id: "a" });
  const { code, out } = await runProgram("wrk", ["-t1", "-c50", "-d1s", web.urlOf("/clients/a")]);
  assertEquals(code, 0);
  assertMatch(out, /\d+ requests in/);
  assert(!/Non-2xx|Socket errors/.test(out), out);
});
