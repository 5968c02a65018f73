/**
 * Every command.
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { createCompletionsCommand } from "./completions.ts";
import { getCommand } from "./get.ts";
import { createHelpCommand } from "./help.ts";
import { listCommand } from "./list.ts";
import { openCommand } from "./open.ts";
import { pingCommand } from "./ping.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";
import { setCommand } from "./set.ts";
import { statsCommand } from "./stats.ts";
import { unsetCommand } from "./unset.ts";
import { versionCommand } from "./version.ts";
import { watchCommand } from "./watch.ts";

/** Prints the help. */
export const helpCommand: Command = createHelpCommand(() => COMMANDS);

/** Every command, in the order the help lists them. */
export const COMMANDS: readonly Command[] = [
  serveCommand,
  openCommand,
  setCommand,
  unsetCommand,
  getCommand,
  listCommand,
  watchCommand,
  pingCommand,
  statsCommand,
  sendCommand,
  versionCommand,
  createCompletionsCommand(() => COMMANDS),
  helpCommand,
];
