/** The configurations of proxies that the page shows, with the proxies themselves. */

import { assert, assertEquals } from "@std/assert";
import { bytesOf, textOf } from "../support/bytes.ts";
import { WebSocket as NodeWebSocket } from "../support/packages/ws.ts";
import { read } from "../support/page.ts";
import { freePort, isInstalled, testUnless } from "../support/program.ts";
import { WebBench } from "./support/web_bench.ts";

/** How a proxy is started with a configuration, and where the server is behind it. */
interface Kind {
  readonly program: string;
  readonly version: string;
  readonly base: string;
  readonly file: string;
  /** Completes what the page shows. */
  readonly complete: (block: string, directory: string) => string;
  readonly args: (file: string, directory: string) => string[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  nginx: {
    program: "nginx",
    version: "-v",
    base: "/tracker",
    file: "conf",
    complete: (block, directory) => {
      const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
        `${name}_temp_path ${directory};`
      );
      const head = `daemon off; pid ${directory}/pid; error_log stderr error; events {}`;
      return `${head} http { access_log off; ${paths.join(" ")} ${block} }`;
    },
    args: (file, directory) => ["-p", directory, "-c", file, "-e", "stderr"],
  },
  caddy: {
    program: "caddy",
    version: "version",
    base: "/tracker",
    file: "Caddyfile",
    complete: (block) => `{\n  admin off\n  auto_https off\n}\n${block}`,
    args: (file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
  haproxy: {
    program: "haproxy",
    version: "-v",
    base: "",
    file: "haproxy.cfg",
    complete: (block) => `defaults\n  timeout connect 5s\n  timeout client 75s\n  timeout server 75s\n${block}`,
    args: (file) => ["-f", file],
  },
};

/** A proxy in front of a server, as the page shows it. */
class Proxy implements AsyncDisposable {
  readonly url: string;
  readonly #process: Deno.ChildProcess;
  readonly #directory: string;

  private constructor(url: string, process: Deno.ChildProcess, directory: string) {
    this.url = url;
    this.#process = process;
    this.#directory = directory;
  }

  static async start(name: string, upstream: number): Promise<Proxy> {
    const { program, base, file, complete, args } = KINDS[name]!;
    const directory = await Deno.makeTempDir();
    const port = freePort();
    const [, block = ""] = new RegExp(`\`\`\`${name}\\n([^]*?)\`\`\``).exec(await read("lib/gateway/README.md")) ?? [];
    const here = `${name === "caddy" ? "http://" : ""}127.0.0.1:${port}`;
    const text = complete(block.replaceAll("6789", `${upstream}`).replace(/:?8080/, here), directory);
    await Deno.writeTextFile(`${directory}/${file}`, text);
    const process = new Deno.Command(program, {
      args: args(`${directory}/${file}`, directory),
      env: { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
      stdout: "null",
      stderr: "null",
    }).spawn();
    const proxy = new Proxy(`http://127.0.0.1:${port}${base}`, process, directory);
    await proxy.#ready();
    return proxy;
  }

  /** Waits until it answers, which may take it a check of health. */
  async #ready(): Promise<void> {
    for (let attempt = 0; attempt < 1_000; attempt++) {
      try {
        const response = await fetch(`${this.url}/health/ready`);
        await response.body?.cancel();
        if (response.ok) return;
      } catch {
        // It does not listen yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("the proxy is not ready");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await Deno.remove(this.#directory, { recursive: true });
  }
}

for (const [name, { program, version }] of Object.entries(KINDS)) {
  const reason = await isInstalled(program, version) ? undefined : `${program} is not installed`;
  testUnless(reason, `through ${name}, as the page shows it, everything works`, async () => {
    await using web = new WebBench();
    {
      await using proxy = await Proxy.start(name, web.port);
      const put = await fetch(`${proxy.url}/clients/a?for=1h`, { method: "PUT", body: "x" });
      assertEquals([put.status, (await put.json()).id], [201, "a"]);
      const page = await (await fetch(`${proxy.url}/`)).text();
      assert(!/(?:href|src)="\//.test(page), "addresses are relative");

      const stream = await fetch(`${proxy.url}/watch`);
      const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      while (!text.includes("event: synced")) text += (await reader.read()).value;
      web.registry.open("y", { id: "b" });
      while (!text.includes('"id":"b"')) text += (await reader.read()).value;
      await reader.cancel();

      const socket = new NodeWebSocket(`${proxy.url.replace("http", "ws")}/ws`);
      const received = new Promise<Uint8Array>((resolve) => socket.on("message", resolve));
      const closed = new Promise<number>((resolve) => socket.on("close", resolve));
      socket.on("open", () => socket.send(bytesOf(42, 3)));
      assertEquals(textOf(await received), "\x0a{a=x, b=y}");
      socket.close(1_000);
      assertEquals(await closed, 1_000);
    }
    assertEquals(web.server.metrics().errors, {});
  });
}
