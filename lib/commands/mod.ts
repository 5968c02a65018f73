/**
 * All commands. Only the one that runs is loaded, since reading the others would take half of the time to start.
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { requireCommand } from "../cli/help.ts";

/** What loads each command, by name, in the order the help lists them. */
const LOADERS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand,
  open: async () => (await import("./open.ts")).openCommand,
  set: async () => (await import("./set.ts")).setCommand,
  unset: async () => (await import("./unset.ts")).unsetCommand,
  kick: async () => (await import("./kick.ts")).kickCommand,
  get: async () => (await import("./get.ts")).getCommand,
  list: async () => (await import("./list.ts")).listCommand,
  watch: async () => (await import("./watch.ts")).watchCommand,
  ping: async () => (await import("./ping.ts")).pingCommand,
  health: async () => (await import("./health.ts")).healthCommand,
  stats: async () => (await import("./stats.ts")).statsCommand,
  send: async () => (await import("./send.ts")).sendCommand,
  version: async () => (await import("./version.ts")).versionCommand,
  completions: async () => (await import("./completions.ts")).createCompletionsCommand(loadCommands),
  help: async () => (await import("./help.ts")).createHelpCommand(NAMES, loadCommand, loadCommands),
};

const NAMES = Object.keys(LOADERS);

/**
 * Loads a command.
 *
 * @param name Its name
 * @returns The command
 * @throws {UsageError} when no command has that name
 */
export async function loadCommand(name: string): Promise<Command> {
  requireCommand(NAMES, name);
  return await LOADERS[name]!();
}

/**
 * Loads every command.
 *
 * @returns The commands, in the order the help lists them
 */
export async function loadCommands(): Promise<readonly Command[]> {
  return await Promise.all(NAMES.map(loadCommand));
}
