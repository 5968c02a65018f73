import { assertEquals } from "@std/assert";
import { Listeners } from "../../lib/base/listeners.ts";

Deno.test("listeners are called with each event in the order they were added, until they are removed", () => {
  const listeners = new Listeners<number>();
  const calls: string[] = [];
  const remove = listeners.add((event) => calls.push(`one ${event}`));
  listeners.add((event) => calls.push(`two ${event}`));
  listeners.notify(1);
  remove();
  remove();
  listeners.notify(2);
  assertEquals(calls, ["one 1", "two 1", "two 2"]);
  assertEquals(listeners.size, 1);
});

Deno.test("a listener added twice is called once", () => {
  const listeners = new Listeners<void>();
  let calls = 0;
  const listener = () => void calls++;
  listeners.add(listener);
  listeners.add(listener);
  listeners.notify();
  assertEquals([calls, listeners.size], [1, 1]);
});

Deno.test("a listener that throws stops no other, and its error is reported as uncaught", () => {
  const listeners = new Listeners<void>();
  const errors: unknown[] = [];
  let calls = 0;
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    errors.push(event.error);
  };
  const error = new Error("a bug of the listener's");
  addEventListener("error", onError);
  try {
    listeners.add(() => {
      throw error;
    });
    listeners.add(() => calls++);
    listeners.notify();
  } finally {
    removeEventListener("error", onError);
  }
  assertEquals([calls, errors], [1, [error]]);
});

Deno.test("a listener may remove itself while it is called", () => {
  const listeners = new Listeners<void>();
  const calls: string[] = [];
  const remove = listeners.add(() => {
    calls.push("once");
    remove();
  });
  listeners.add(() => calls.push("always"));
  listeners.notify();
  listeners.notify();
  assertEquals(calls, ["once", "always", "always"]);
});
