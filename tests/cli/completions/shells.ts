/** Real shells, asked for completions of a command line. */

import { assertEquals } from "@std/assert";
import { run, Running } from "../../support/program.ts";

/**
 * Stands for the program: it prints its arguments, or the identifiers of two clients if it is asked for those of the
 * server that the command line names.
 */
const PROGRAM =
  "tracker() { if [[ \"$*\" == 'list --columns id '*' --server=a:1' ]]; then printf 'ID\\npi-7\\npi-8\\n'; " +
  "else printf '<%s>' \"$@\"; echo; fi; }";

/** The same for fish, as a file: a function would not be found by \`command\`. */
const FISH_PROGRAM = "#!/bin/sh\nprintf 'ID\\npi-7\\npi-8\\n'\n";

/** The key that asks a shell for completions. */
const TAB = "\t";

/** A shell that has read its script from `tracker completions`. */
export interface CompletingShell extends AsyncDisposable {
  /** Lists the completions of a text, without descriptions, and only the long name of a flag. */
  offered(typed: string): Promise<string[]>;
}

/** Prints the script for a shell. */
export async function scriptFor(shell: string): Promise<string> {
  const { code, stdout, stderr } = await run(["completions", shell]);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

/** Creates a directory with the script for a shell. */
async function prepare(shell: string): Promise<string> {
  const directory = await Deno.makeTempDir();
  await Deno.writeTextFile(`${directory}/script`, await scriptFor(shell));
  return directory;
}

/** How a shell with a line editor is started, and made to record its completions. */
interface Editor {
  readonly command: string;
  readonly setUp: (script: string, offers: string) => readonly string[];
}

const EDITORS: Readonly<Record<"bash" | "zsh", Editor>> = {
  bash: {
    command: "bash --noprofile --norc -i",
    setUp: (script, offers) => [
      `source ${script}`,
      `_observed() { _tracker "$@"; printf '%s\\n' "\${COMPREPLY[@]}" >>${offers}; }`,
      "complete -F _observed tracker",
    ],
  },
  zsh: {
    command: "zsh -f -i",
    setUp: (script, offers) => [
      "bindkey -e; autoload -Uz compinit; compinit -u -D",
      `source ${script}`,
      // Every completion is added with this command; with -O, -A and -D it only asks for matches.
      "compadd() {",
      "  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then",
      `    local -a offered; builtin compadd -A offered "$@"; print -rl -- $offered >>${offers}`,
      "  fi",
      '  builtin compadd "$@"',
      "}",
    ],
  },
};

/**
 * A shell on a terminal, in which `tracker` prints its arguments instead of running. Typed text goes through the shell's
 * own line editor.
 */
export class InteractiveShell implements CompletingShell {
  readonly #directory: string;
  readonly #shell: Running;

  private constructor(directory: string, shell: Running) {
    this.#directory = directory;
    this.#shell = shell;
  }

  /** Starts a shell, which runs some lines first. */
  static async start(name: keyof typeof EDITORS, lines: readonly string[] = []): Promise<InteractiveShell> {
    const { command, setUp } = EDITORS[name];
    const directory = await prepare(name);
    const shell = new Running(["script", "-qefc", `exec ${command}`, "/dev/null"], { env: { TERM: "dumb" } });
    const interactive = new InteractiveShell(directory, shell);
    // The mark is split, so that the echo of the typed line is not taken for it.
    const last = [PROGRAM, "echo rea''dy", ""];
    await shell.type([...setUp(`${directory}/script`, `${directory}/offers`), ...lines, ...last].join("\n"));
    await interactive.#until((line) => line.endsWith("ready"));
    return interactive;
  }

  /** Types a line, in which tabs ask for completion, and returns the resulting arguments. */
  async argumentsOf(typed: string): Promise<string> {
    await this.#shell.type(`${typed}\n`);
    const line = await this.#until((line) => /<.*>$/.test(line));
    return line.slice(line.indexOf("<"));
  }

  async offered(typed: string): Promise<string[]> {
    await Deno.writeTextFile(`${this.#directory}/offers`, "");
    await this.argumentsOf(`${typed}${TAB} end`);
    return sorted((await Deno.readTextFile(`${this.#directory}/offers`)).split("\n"));
  }

  async #until(isWanted: (line: string) => boolean): Promise<string> {
    for (;;) {
      const line = (await this.#shell.stdout.line()).trimEnd();
      if (isWanted(line)) return line;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** fish, which lists completions and their descriptions by itself. */
export class Fish implements CompletingShell {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(): Promise<Fish> {
    const directory = await prepare("fish");
    await Deno.writeTextFile(`${directory}/tracker`, FISH_PROGRAM, { mode: 0o755 });
    return new Fish(directory);
  }

  /** Lists the completions of a text, each with its description. */
  async described(typed: string): Promise<[offer: string, description: string][]> {
    const script = "source $argv[1]; complete -C $argv[2]";
    const args = ["--no-config", "-c", script, `${this.#directory}/script`, typed];
    const path = `${this.#directory}:${Deno.env.get("PATH")}`;
    await using fish = new Running(["fish", ...args], { env: { TERM: "dumb", HOME: this.#directory, PATH: path } });
    const { code, stdout, stderr } = await fish.end();
    assertEquals([code, stderr], [0, ""]);
    return stdout.split("\n").slice(0, -1).map((line) => {
      const [offer = "", description = ""] = line.split("\t");
      return [offer, description];
    });
  }

  async offered(typed: string): Promise<string[]> {
    return sorted((await this.described(typed)).map(([offer]) => offer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** Sorts completions, without the flag that fish repeats in front of a value. */
function sorted(offers: readonly string[]): string[] {
  return offers.map((offer) => offer.trim().replace(/^--[a-z-]+=/, "")).filter((offer) => !/^(-.)?$/.test(offer))
    .sort();
}
