/** The systemd unit, checked by systemd's own tools where they are installed. */

import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAX_CLIENTS } from "../../mod.ts";

const UNIT = new URL("../../.release/tracker.service", import.meta.url);

/** The highest score of systemd-analyze, which ranges from 0 for a confined service to 10 for an unconfined one. */
const HIGHEST_EXPOSURE = 1.2;

async function analyze(...args: string[]): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", { args, env: { SYSTEMD_COLORS: "0" } })
    .output();
  return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function hasSystemd(): Promise<boolean> {
  try {
    // `--offline` came with 250.
    const { output } = await analyze("--version");
    return Number(/^systemd (\d+)/.exec(output)?.[1]) >= 250;
  } catch {
    return false;
  }
}

const ignore = !await hasSystemd();
// deno-lint-ignore no-console -- a skipped test must not go unnoticed
if (ignore) console.warn("The systemd unit is not checked: there is no systemd-analyze of version 250 or later here");

/** Runs a test on a copy of the unit that starts an existing program. */
async function withUnit(test: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const unit = await Deno.readTextFile(UNIT);
    const path = `${directory}/tracker.service`;
    await Deno.writeTextFile(path, unit.replace("ExecStart=/usr/local/bin/tracker", `ExecStart=${Deno.execPath()}`));
    await test(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Returns the value of a setting in a unit. */
function settingOf(unit: string, name: string): string {
  const [, value] = new RegExp(`^${name}=(.*)$`, "m").exec(unit) ?? [];
  assert(value !== undefined, `the unit has no ${name}`);
  return value;
}

Deno.test({
  name: "systemd understands every line of the unit",
  ignore,
  fn: () =>
    withUnit(async (path) => {
      const { code, output } = await analyze("verify", "--man=no", path);
      assertEquals([code, output], [0, ""]);
    }),
});

Deno.test({
  name: "systemd rates the service as confined",
  ignore,
  fn: () =>
    withUnit(async (path) => {
      const { output } = await analyze("security", "--offline=true", "--no-pager", path);
      const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(output) ?? [];
      assertLessOrEqual(Number(exposure), HIGHEST_EXPOSURE, output);
    }),
});

Deno.test("the unit allows as many clients as the server, and enough time to tell them that it stops", async () => {
  const unit = await Deno.readTextFile(UNIT);
  assert(Number(settingOf(unit, "LimitNOFILE")) > DEFAULT_MAX_CLIENTS + 256);
  assert(Number(settingOf(unit, "TimeoutStopSec").replace("s", "")) * 1_000 > DEFAULT_DRAIN_TIMEOUT + 2_000);
});

Deno.test("the unit does not forbid what the engine needs", async () => {
  const unit = await Deno.readTextFile(UNIT);
  assertEquals(settingOf(unit, "MemoryDenyWriteExecute"), "no");
  assertEquals(settingOf(unit, "SystemCallErrorNumber"), "EPERM");
  assertStringIncludes(settingOf(unit, "RestrictAddressFamilies"), "AF_INET AF_INET6");
});
