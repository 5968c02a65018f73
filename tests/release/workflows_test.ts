/** The workflows, compared with the tasks, targets and versions that they rely on. GitHub is not contacted. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "../support/packages/yaml.ts";
import { read, ROOT } from "../support/page.ts";
import { TARGETS } from "../../.release/targets.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  uses?: string;
  needs?: string | string[];
  "runs-on"?: string;
  "timeout-minutes"?: number;
  permissions?: Record<string, string>;
  strategy?: { matrix: { include?: Record<string, string>[] } & Record<string, unknown> };
  steps?: Step[];
}

interface Workflow {
  name: string;
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  concurrency: { group: string };
  jobs: Record<string, Job>;
}

async function readWorkflows(): Promise<Map<string, Workflow>> {
  const workflows = new Map<string, Workflow>();
  for await (const { name } of Deno.readDir(new URL(".github/workflows/", ROOT))) {
    workflows.set(name, parse(await read(`.github/workflows/${name}`)));
  }
  return workflows;
}

const WORKFLOWS = await readWorkflows();

/** Lists every job of every workflow, each with a name. */
function jobs(): [string, Job][] {
  return [...WORKFLOWS].flatMap(([file, workflow]) =>
    Object.entries(workflow.jobs).map(([name, job]): [string, Job] => [`${file}: ${name}`, job])
  );
}

function stepsOf(uses: string): [string, Step][] {
  return jobs().flatMap(([name, { steps = [] }]) =>
    steps.filter((step) => step.uses?.startsWith(`${uses}@`)).map((step): [string, Step] => [name, step])
  );
}

Deno.test("workflows exist for changes and for releases", () => {
  assertEquals([...WORKFLOWS.keys()].sort(), ["ci.yml", "release.yml"]);
  assertEquals(Object.keys(WORKFLOWS.get("ci.yml")!.on), ["push", "pull_request", "workflow_call"]);
  assertEquals(WORKFLOWS.get("release.yml")!.on, { push: { tags: ["v*"] } });
});

Deno.test("every workflow may only read unless a job may do more, and runs once at a time", () => {
  const groups = [...WORKFLOWS.values()].map(({ permissions, concurrency }) => {
    assertEquals(permissions, { contents: "read" });
    return concurrency.group;
  });
  // A called workflow with the same group as its caller would wait for it indefinitely.
  assertEquals(new Set(groups).size, groups.length);
});

Deno.test("every job has a runner, a time limit and valid steps, or calls a workflow", () => {
  for (const [name, job] of jobs()) {
    if (job.uses !== undefined) {
      assert(WORKFLOWS.has(job.uses.replace("./.github/workflows/", "")), `${name} calls ${job.uses}`);
      continue;
    }
    assert(typeof job["runs-on"] === "string", name);
    assert(Number.isInteger(job["timeout-minutes"]), name);
    assert(job.steps !== undefined && job.steps.length > 0, name);
    for (const { uses, run } of job.steps) {
      assert((uses === undefined) !== (run === undefined), `${name}: ${uses ?? run}`);
    }
  }
});

Deno.test("every job that a job needs exists", () => {
  for (const [file, workflow] of WORKFLOWS) {
    for (const { needs = [] } of Object.values(workflow.jobs)) {
      for (const needed of [needs].flat()) assert(needed in workflow.jobs, `${file}: ${needed}`);
    }
  }
});

Deno.test("workflows run only tasks, and paste no value from GitHub into them but a target", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  for (const [name, { steps = [] }] of jobs()) {
    for (const { run } of steps) {
      if (run === undefined) continue;
      const [, task, args = ""] = /^deno task ([a-z-]+)( [^\n]+)?$/.exec(run) ?? [];
      assert(task !== undefined, `${name} runs "${run}", which is no task`);
      assert(task in tasks, `${name} runs the task "${task}", which is not in deno.json`);
      assertMatch(args, /^( --?[a-z-]+| "\$[A-Z_]+"| \$\{\{ matrix\.target \}\})*$/, name);
    }
  }
});

Deno.test("every action is pinned to a major version", () => {
  for (const [name, { steps = [] }] of jobs()) {
    for (const { uses } of steps) if (uses !== undefined) assertMatch(uses, /^[\w-]+\/[\w-]+@v\d+$/, name);
  }
});

Deno.test("a checkout leaves no credentials behind", () => {
  for (const [name, step] of stepsOf("actions/checkout")) {
    assertEquals(step.with, { "persist-credentials": false }, name);
  }
});

Deno.test("the workflows use the same Deno as the gate, and also the newest one", async () => {
  const [, version] = /deno@([\d.]+)/.exec(await read(".ci/run")) ?? [];
  assert(version !== undefined);
  for (const [name, step] of stepsOf("denoland/setup-deno")) {
    const asked = step.with?.["deno-version"];
    if (asked !== "${{ matrix.deno }}") assertEquals(asked, version, name);
  }
  const { matrix } = WORKFLOWS.get("ci.yml")!.jobs["check"]!.strategy!;
  assertEquals(matrix["deno"], [version, "v2.x"]);
  assertEquals(matrix["os"], ["ubuntu-latest", "macos-latest", "windows-latest"]);
});

Deno.test("the program of every target is tested on a matching runner", () => {
  const { include = [] } = WORKFLOWS.get("release.yml")!.jobs["smoke"]!.strategy!.matrix;
  assertEquals(include.map(({ target }) => target).sort(), TARGETS.map(({ triple }) => triple).sort());
  const runners: Record<string, string> = {
    "x86_64-unknown-linux-gnu": "ubuntu-latest",
    "aarch64-unknown-linux-gnu": "ubuntu-24.04-arm",
    "x86_64-apple-darwin": "macos-15-intel",
    "aarch64-apple-darwin": "macos-latest",
    "x86_64-pc-windows-msvc": "windows-latest",
    "aarch64-pc-windows-msvc": "windows-11-arm",
  };
  for (const { target = "", runner } of include) assertEquals(runner, runners[target], target);
});

Deno.test("nothing is published before everything is checked, built and tested", () => {
  const { jobs } = WORKFLOWS.get("release.yml")!;
  const before = (name: string): string[] =>
    [jobs[name]?.needs ?? []].flat().flatMap((needed) => [needed, ...before(needed)]);
  for (const [name, { permissions = {} }] of Object.entries(jobs)) {
    if (!Object.values(permissions).includes("write")) continue;
    assertEquals(before(name).filter((needed) => needed !== "publish").sort(), ["build", "check", "smoke"], name);
  }
  assertEquals(jobs["publish"]?.permissions, { contents: "write", "id-token": "write", attestations: "write" });
  assertEquals(jobs["image"]?.permissions, { contents: "read", packages: "write" });
});
