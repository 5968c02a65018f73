/**
 * Two hosts with a router between them, made of network namespaces. Packets that the router does not forward are lost
 * silently, as when a cable is cut along the way.
 *
 * @module
 */

import { shell } from "./server.ts";

/** Why hosts cannot be made here; `undefined` if they can. */
export const noHosts: string | undefined = findObstacle();

function findObstacle(): string | undefined {
  if (Deno.build.os !== "linux") return "only Linux has network namespaces";
  const name = nameOf("probe");
  const line = `ip netns add ${name} && ip netns del ${name}`;
  const { success, stderr } = new Deno.Command("sh", { args: ["-c", line], stdout: "null" }).outputSync();
  if (success) return undefined;
  const why = new TextDecoder().decode(stderr).trim().split("\n")[0];
  return `network namespaces need root and iproute2 (apt-get install iproute2): ${why}`;
}

function nameOf(role: string): string {
  return `tracker-${role}-${Deno.pid}`;
}

/** Two hosts. Disposing removes them. */
export class TwoHosts implements AsyncDisposable {
  /** Address of the first host. */
  readonly address = "10.77.1.2";
  readonly #names = { first: nameOf("first"), router: nameOf("router"), second: nameOf("second") };

  static async make(): Promise<TwoHosts> {
    const hosts = new TwoHosts();
    const { first, router, second } = hosts.#names;
    const lines = [`ip netns add ${router}`];
    for (const [name, number] of [[first, 1], [second, 2]] as const) {
      lines.push(
        `ip netns add ${name}`,
        `ip link add wire netns ${name} type veth peer name link${number} netns ${router}`,
        `ip -n ${name} addr add 10.77.${number}.2/24 dev wire`,
        `ip -n ${name} link set wire up`,
        `ip -n ${name} link set lo up`,
        `ip -n ${router} addr add 10.77.${number}.1/24 dev link${number}`,
        `ip -n ${router} link set link${number} up`,
        `ip -n ${name} route add default via 10.77.${number}.1`,
      );
    }
    try {
      const output = await shell(`{ ${lines.join(" && ")} && echo made; } 2>&1`);
      if (output !== "made\n") throw new Error(`Cannot make hosts: ${output}`);
      await hosts.mend();
    } catch (error) {
      await hosts[Symbol.asyncDispose]();
      throw error;
    }
    return hosts;
  }

  /** Prefix of a command to run on the first host. */
  get onFirst(): string[] {
    return ["ip", "netns", "exec", this.#names.first];
  }

  /** Prefix of a command to run on the second host. */
  get onSecond(): string[] {
    return ["ip", "netns", "exec", this.#names.second];
  }

  /** Silently stops forwarding in both directions. */
  async cut(): Promise<void> {
    await this.#forward(0);
  }

  /** Forwards again. */
  async mend(): Promise<void> {
    await this.#forward(1);
  }

  async #forward(value: 0 | 1): Promise<void> {
    const line = `echo ${value} > /proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward`;
    const set = await shell(`ip netns exec ${this.#names.router} sh -c '${line}'`);
    if (set !== `${value}\n`) throw new Error("Cannot configure router");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of Object.values(this.#names)) await shell(`ip netns del ${name}`);
  }
}
