import { assert, assertEquals, assertThrows } from "@std/assert";
import { Cidr, siteOf } from "../../lib/auth/cidr.ts";
import { TrackerError } from "../../mod.ts";

Deno.test("range contains the addresses that share its first bits, and no others", () => {
  const cases: [network: string, inside: string[], outside: string[]][] = [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::a00:1"]],
    ["192.168.4.0/22", ["192.168.4.0", "192.168.7.255"], ["192.168.8.0", "192.168.3.255"]],
    ["172.16.0.9", ["172.16.0.9"], ["172.16.0.8"]],
    ["0.0.0.0/0", ["1.2.3.4", "255.255.255.255"], ["::1"]],
    ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]],
    ["fd00::/8", ["fd00::1", "fdff::", "fd12:3456::9%eth0"], ["fe00::", "fc00::"]],
    ["2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::"]],
    ["::ffff:10.0.0.1", ["10.0.0.1"], ["10.0.0.2"]],
    ["::ffff:10.0.0.0/104", ["10.9.8.7", "::ffff:10.0.0.1"], ["11.0.0.0", "::a00:1"]],
    ["::ffff:0:0/96", ["0.0.0.0", "255.255.255.255"], ["::1"]],
  ];
  for (const [text, inside, outside] of cases) {
    const network = Cidr.parse(text);
    for (const address of inside) assert(network.contains(address), `${address} is in ${text}`);
    for (const address of outside) assert(!network.contains(address), `${address} is not in ${text}`);
  }
});

Deno.test("range refuses invalid text, and contains no invalid address", () => {
  const wrong = [
    "",
    "/8",
    "10.0.0/8",
    "10.0.0.0/33",
    "10.0.0.256",
    "::1/129",
    ":::",
    "1::2::3",
    "g::",
    "1:2:3:4:5:6:7",
  ];
  // Some programs take 010 for 10, others for 8.
  wrong.push("010.0.0.1", "10.0.0.00", "::010.0.0.1");
  const wrongLengths = [
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "::ffff:10.0.0.0/10",
    "::ffff:10.0.0.0/95",
    "::ffff:10.0.0.0/129",
  ];
  for (const text of [...wrong, ...wrongLengths, "1.2.3.4::", "localhost"]) {
    assertEquals(assertThrows(() => Cidr.parse(text), TrackerError).code, "BAD_ARGUMENT", text);
  }
  for (const address of wrong) assert(!Cidr.parse("0.0.0.0/0").contains(address));
});

Deno.test("addresses of IPv6 count by their first 64 bits, and those of IPv4 one by one", () => {
  const cases: [address: string, site: string][] = [
    ["192.168.7.9", "192.168.7.9"],
    ["::ffff:192.168.7.9", "192.168.7.9"],
    ["::ffff:c0a8:709", "192.168.7.9"],
    ["2001:db8:0:1::7", "2001:db8:0:1::/64"],
    ["2001:DB8:0:1:9:9:9:9", "2001:db8:0:1::/64"],
    ["2001:db8:0:2::7", "2001:db8:0:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["memory", "memory"],
    ["not:an:address", "not:an:address"],
  ];
  for (const [address, site] of cases) assertEquals(siteOf(address), site);
});
