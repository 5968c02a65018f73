/**
 * The commands there are.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { getCommand } from "./get.ts";
import { createHelpCommand } from "./help.ts";
import { openCommand } from "./open.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";

const WORKING: readonly Command[] = [serveCommand, openCommand, getCommand, sendCommand];

/** Prints the help. */
export const helpCommand: Command = createHelpCommand(WORKING);

/** Every command, in the order the help lists them. */
export const COMMANDS: readonly Command[] = [...WORKING, helpCommand];
