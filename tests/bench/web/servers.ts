/**
 * The servers that are compared: Tracker, and what else browsers and programs reach over the web.
 *
 * @module
 */

import { accepting, freePort, isInstalled, Process } from "../process.ts";
import { ROOT } from "../peers.ts";

/** A server's name. */
export type ServerName = "tracker" | "nats" | "mosquitto" | "nchan" | "deno";

/** A running server. */
export interface WebServer extends AsyncDisposable {
  readonly name: ServerName;
  readonly port: number;
  /** Resident memory of all its processes, in bytes. */
  memory(): number;
}

/** The program of each server, and the package of Debian that it is in. */
const PROGRAMS: Readonly<Record<Exclude<ServerName, "tracker" | "deno">, [program: string, debian: string]>> = {
  nats: ["nats-server", "nats-server"],
  mosquitto: ["mosquitto", "mosquitto"],
  nchan: ["nginx", "nginx libnginx-mod-nchan"],
};

/** Names the packages of servers that are not installed. */
export function missingServers(): [name: ServerName, debian: string][] {
  const rows = Object.entries(PROGRAMS) as [ServerName, [string, string]][];
  return rows.filter(([, [program]]) => !isInstalled(program)).map(([name, [, debian]]) => [name, debian]);
}

/** Starts a server, and waits until it accepts connections. */
export async function startServer(name: ServerName, flags: readonly string[] = []): Promise<WebServer> {
  const port = freePort();
  const directory = await Deno.makeTempDir({ prefix: "tracker-bench-" });
  const [program, args] = await commandOf(name, port, directory, flags);
  // Deno raises its own limit on open files to what the system allows; others have to be given it.
  const process = new Process("sh", ["-c", 'ulimit -n $(ulimit -Hn); exec "$0" "$@"', program, ...args]);
  try {
    await accepting(process, port);
  } catch (cause) {
    process.kill();
    throw new Error(`Cannot start ${name}: it accepts no connection`, { cause });
  }
  return {
    name,
    port,
    memory: () => memoryOf(process.id),
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      const timer = setTimeout(() => process.kill(), 3_000);
      await process.ended;
      clearTimeout(timer);
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function commandOf(
  name: ServerName,
  port: number,
  directory: string,
  flags: readonly string[],
): Promise<[program: string, args: string[]]> {
  const file = async (text: string) => {
    await Deno.writeTextFile(`${directory}/conf`, text);
    return `${directory}/conf`;
  };
  switch (name) {
    case "tracker":
      return [Deno.execPath(), ["run", "-N", `${ROOT}main.ts`, "serve", "--port", `${port}`, "--log", "off", ...flags]];
    case "deno":
      return [Deno.execPath(), ["run", "-N", `${ROOT}tests/bench/web/deno_server.ts`, `${port}`]];
    case "nats":
      return ["nats-server", [
        "-c",
        await file(`
        port: ${freePort()}
        max_pending: 256MB
        websocket { port: ${port}, no_tls: true }`),
      ]];
    case "mosquitto":
      return ["mosquitto", [
        "-c",
        await file(`listener ${port}\nprotocol websockets\nallow_anonymous true\n`),
      ]];
    case "nchan":
      return ["nginx", ["-e", "stderr", "-p", directory, "-c", await file(nchanConfig(port, directory))]];
  }
}

function nchanConfig(port: number, directory: string): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${directory};`);
  return `load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
    daemon off; worker_processes 1; worker_rlimit_nofile 65536; pid ${directory}/pid; error_log stderr error;
    events { worker_connections 20000; }
    http { access_log off; ${paths.join(" ")}
      server { listen 127.0.0.1:${port};
        location = /sub { nchan_subscriber eventsource websocket; nchan_channel_id a; }
        location = /pub { nchan_publisher; nchan_channel_id a; } } }`;
}

/** Resident memory of a process and its children. */
function memoryOf(id: number): number {
  const { stdout } = new Deno.Command("ps", { args: ["-o", "rss=", "--pid", `${id}`, "--ppid", `${id}`] }).outputSync();
  const sizes = new TextDecoder().decode(stdout).trim().split(/\s+/).map(Number);
  return sizes.reduce((sum, size) => sum + size, 0) * 1_024;
}
