/**
 * `tracker serve`
 *
 * @module
 */

import type { Cidr } from "../auth/cidr.ts";
import type { Command, Process } from "../cli/command.ts";
import { describe } from "../cli/failure.ts";
import { type FlagValues, optionalFile, parseFlags } from "../cli/flags/flags.ts";
import { gatewayFrom, HTTP_FLAGS } from "../cli/flags/http_flags.ts";
import { LIMIT_FLAGS, limitsFrom } from "../cli/flags/limit_flags.ts";
import { TLS_FLAGS, tlsFrom } from "../cli/flags/tls_flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { choice, host, listeningPort, networks } from "../cli/flags/values.ts";
import { isReadByJournal } from "../cli/log/journal.ts";
import { EventLog, type LineFormat, LOG_FORMATS, type LogFormat } from "../cli/log/log.ts";
import { Notifier } from "../cli/service/notify.ts";
import { readKeyPair } from "../cli/service/pem_files.ts";
import { Reloader } from "../cli/service/reload.ts";
import { TokenFile } from "../cli/service/token_file.ts";
import { complain, OutputClosed, remark, write } from "../cli/terminal/output.ts";
import { aborted, stopSignal } from "../cli/terminal/signals.ts";
import { DEFAULT_PORT, type Dialect, DIALECTS } from "../protocol.ts";
import type { Server } from "../server/server.ts";
import { formatAddress } from "../transport/listener.ts";
import { serve } from "../tcp/serve.ts";
import { VERSION } from "../version.ts";

const FLAGS = {
  host: {
    placeholder: "ADDRESS",
    default: "127.0.0.1",
    environment: "TRACKER_HOST",
    description: "address to listen on; 0.0.0.0 accepts other machines",
    parse: host,
  },
  port: {
    placeholder: "PORT",
    default: `${DEFAULT_PORT}`,
    environment: "TRACKER_PORT",
    description: "port to listen on without TLS; 0 for any free one",
    parse: listeningPort,
  },
  ...TLS_FLAGS,
  dialect: {
    placeholder: "DIALECT",
    default: "auto",
    description:
      "how clients frame their messages: auto detects it from their first bytes; compact, wide or java requires it",
    ...choice<Dialect | "auto">(["auto", ...DIALECTS]),
  },
  ...HTTP_FLAGS,
  ...LIMIT_FLAGS,
  "token-file": optionalFile(
    "a file of tokens, each line name:token, and :read, :write or :admin and :PREFIX if need be; others are refused",
  ),
  "trusted-networks": {
    placeholder: "NETWORKS",
    default: "",
    aliases: ["legacy-from"],
    description: "networks whose clients need no token, such as 10.0.0.0/8,::1",
    parse: networks,
  },
  "proxy-from": {
    placeholder: "NETWORKS",
    default: "",
    description: "networks of proxies that say where a connection comes from (PROXY protocol, versions 1 and 2)",
    parse: networks,
  },
  log: {
    placeholder: "FORMAT",
    default: "text",
    description: "format of the log on standard error, of clients that join, leave or fail: text, json or off",
    ...choice(LOG_FORMATS),
  },
} as const;

/** Runs a server until it is told to stop. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Run a server that keeps the current state of every connected client.",
  details: [
    "Prints 'tracker VERSION listening on HOST:PORT' once it accepts clients. On Ctrl-C or SIGTERM it tells every client " +
    "before it ends with exit code 0; a second one ends it at once.",
    "A duration is a number of seconds, or has a unit: 500ms, 10s, 1m, 1h.",
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker serve", meaning: "accepts programs on this machine, on port 6789" },
    {
      line: "tracker serve --host 0.0.0.0 --log json",
      meaning: "accepts every machine that can connect, and logs for programs",
    },
    {
      line: "tracker serve --tls-cert cert.pem --tls-key key.pem --host 0.0.0.0",
      meaning: "accepts TLS on port 6790; SIGHUP reads the files again",
    },
    {
      line: "tracker serve --http-port 8080 --allow-origin https://example.com",
      meaning: "speaks HTTP on a port of its own, also with pages of that site",
    },
    {
      line: "tracker serve --port 0 --idle-timeout 30s",
      meaning: "takes any free port, and drops clients that are silent for 30 seconds",
    },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags, given } = parseFlags(args, FLAGS);
  const log = new EventLog(await lineFormat(flags.log));
  const tokenFile = await openTokenFile(flags["token-file"], flags["trusted-networks"]);
  const tls = await tlsFrom(flags, given);
  const http = gatewayFrom(flags, given);
  const server = serve({
    hostname: flags.host,
    // A server with a certificate accepts plain connections only if it is told to.
    ...(tls === null || given.has("port") ? { port: flags.port } : {}),
    ...(tls === null ? {} : { tls }),
    ...(http === null ? {} : { http }),
    dialect: flags.dialect,
    proxyFrom: flags["proxy-from"],
    ...limitsFrom(flags),
    ...(tokenFile === null ? {} : { tokens: () => tokenFile.tokens, trustedNetworks: flags["trusted-networks"] }),
    onEvent: (event) => log.report(event),
  });
  const reloader = new Reloader((event) => log.report(event));
  addSources(reloader, server, flags, tokenFile);
  const stop = stopSignal(process);
  const notifier = new Notifier();
  await announce(server, tokenFile !== null);
  notifier.ready(`listening on ${addressesOf(server).join(" and ")}`);
  await aborted(stop);
  remark("tracker: stopping: clients are being told; Ctrl-C again stops at once");
  notifier.stopping("stopping: clients are being told");
  await server.shutdown();
  await reloader.close();
  await log.close();
  notifier.close();
  return 0;
}

async function lineFormat(format: LogFormat): Promise<LineFormat> {
  return format === "text" && await isReadByJournal() ? "journal" : format;
}

/** Opens the file of tokens, if there is one. Trusted networks without tokens would only look like protection. */
async function openTokenFile(path: string | undefined, trusted: readonly Cidr[]): Promise<TokenFile | null> {
  if (path !== undefined) return await TokenFile.open(path);
  if (trusted.length === 0) return null;
  throw new UsageError("--trusted-networks needs a --token-file: without one, every client may connect");
}

/** Adds the files that a SIGHUP reads again. */
function addSources(
  reloader: Reloader,
  server: Server,
  flags: FlagValues<typeof TLS_FLAGS>,
  tokenFile: TokenFile | null,
): void {
  const { "tls-cert": cert, "tls-key": key } = flags;
  if (cert !== undefined && key !== undefined) {
    reloader.add("certificate", async () => server.reloadTls(await readKeyPair(cert, key)));
  }
  if (tokenFile !== null) reloader.add("tokens", () => tokenFile.reload());
}

/** Formats the addresses on which a server listens. */
function addressesOf({ addr, tlsAddr, httpAddr }: Server): string[] {
  const isOwn = httpAddr !== null && httpAddr !== addr && httpAddr !== tlsAddr;
  return [
    ...addr === tlsAddr ? [] : [formatAddress(addr)],
    ...tlsAddr === null ? [] : [`${formatAddress(tlsAddr)} with TLS`],
    ...isOwn ? [`${formatAddress(httpAddr)} with HTTP`] : [],
  ];
}

async function announce(server: Server, asksForTokens: boolean): Promise<void> {
  const { addr, tlsAddr } = server;
  const address = formatAddress(addr);
  if (!isLoopback(addr.hostname) && !asksForTokens) {
    complain(
      `tracker: warning: ${address} accepts other machines: any client that can connect may read and write every state`,
    );
  } else if (!isLoopback(addr.hostname) && addr !== tlsAddr) {
    complain(
      `tracker: warning: ${address} takes tokens without TLS: whoever sees the connection can use them; see --tls-cert`,
    );
  }
  try {
    for (const address of addressesOf(server)) await write(`tracker ${VERSION} listening on ${address}\n`);
  } catch (error) {
    // A server whose output is not read is still a server, and so is one on a full disk.
    if (!(error instanceof OutputClosed)) complain(`tracker: warning: ${describe(error)}`);
  }
}

function isLoopback(hostname: string): boolean {
  return hostname.startsWith("127.") || hostname === "::1" || hostname.startsWith("::ffff:127.");
}
