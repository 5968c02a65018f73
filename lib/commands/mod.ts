/**
 * The commands there are.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { createCompletionsCommand } from "./completions.ts";
import { getCommand } from "./get.ts";
import { createHelpCommand } from "./help.ts";
import { openCommand } from "./open.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";
import { versionCommand } from "./version.ts";

/** Prints the help. */
export const helpCommand: Command = createHelpCommand(() => COMMANDS);

/** Every command, in the order the help lists them. */
export const COMMANDS: readonly Command[] = [
  serveCommand,
  openCommand,
  getCommand,
  sendCommand,
  versionCommand,
  createCompletionsCommand(() => COMMANDS),
  helpCommand,
];
