/** A real browser, driven by its own protocol. */

import { isInstalled } from "./program.ts";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

async function findBrowser(): Promise<string | null> {
  for (const program of PROGRAMS) if (await isInstalled(program)) return program;
  return null;
}

const program = await findBrowser();

/** The reason to skip a test that takes a browser, if there is one. */
export const noBrowser: string | undefined = program === null
  ? `none of ${PROGRAMS.join(", ")} is installed`
  : undefined;

interface Message {
  readonly id?: number;
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  readonly error?: { readonly message: string };
  readonly method?: string;
}

/** A browser with one page. */
export class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #drained: Promise<void>;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #session: string | undefined;
  /** Called when a page is there. */
  #onLoad: (() => void) | undefined;

  private constructor(process: Deno.ChildProcess, socket: WebSocket, profile: string, drained: Promise<void>) {
    this.#process = process;
    this.#socket = socket;
    this.#profile = profile;
    this.#drained = drained;
    socket.onmessage = ({ data }) => this.#settle(JSON.parse(data));
  }

  /** Starts a browser, which shows a page. */
  static async open(url: string): Promise<Browser> {
    const profile = await Deno.makeTempDir();
    const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    const process = new Deno.Command(program!, {
      args: [...args, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { address, drained } = await addressFrom(process.stderr);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const browser = new Browser(process, socket, profile, drained);
    const { targetId } = await browser.#call("Target.createTarget", { url: "about:blank" });
    browser.#session = (await browser.#call("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    await browser.#call("Page.enable", {});
    const loaded = new Promise<void>((resolve) => browser.#onLoad = resolve);
    await browser.#call("Page.navigate", { url });
    await loaded;
    return browser;
  }

  /** Evaluates an expression in the page, and waits for what it promises. */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(`In the page: ${JSON.stringify(exceptionDetails.exception)}`);
    return result.value;
  }

  /** Evaluates an expression again and again, until it is true. */
  async until(expression: string): Promise<void> {
    const turn = "new Promise((resolve) => setTimeout(resolve, 10))";
    await this.evaluate(`(async () => { while (!(${expression})) await ${turn}; })()`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.#call("Browser.close", {}).catch(() => {});
    await closed;
    await this.#process.status;
    await this.#drained;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }

  // deno-lint-ignore no-explicit-any
  #call(method: string, params: Record<string, unknown>): Promise<any> {
    const id = ++this.#lastId;
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return call.promise;
  }

  #settle({ id, result, error, method }: Message): void {
    if (method === "Page.loadEventFired") this.#onLoad?.();
    const call = this.#calls.get(id ?? 0);
    this.#calls.delete(id ?? 0);
    if (error !== undefined) call?.reject(new Error(error.message));
    else call?.resolve(result);
  }
}

/** Reads where the browser is to be driven, and discards what it says afterwards. */
async function addressFrom(stderr: ReadableStream<Uint8Array>): Promise<{ address: string; drained: Promise<void> }> {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The browser has not started: ${text}`);
    text += value;
    const [address] = /ws:\/\/\S+/.exec(text) ?? [];
    if (address !== undefined) return { address, drained: drain(reader) };
  }
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}
