import { assertEquals, assertThrows } from "@std/assert";
import { notesOf } from "../../.release/notes.ts";
import { withWholeLinks } from "../../.release/publish.ts";

const CHANGELOG = `# Changelog

What changed.

## [Unreleased]

- Not yet.

## [0.2.0] - 2026-12-01

### Added

- A [page](./PAGE.md), and [another site](https://example.com/).

## [0.1.10] - 2026-11-24

Ten.

## [0.1.1] - 2026-11-23

`;

Deno.test("the notes of a version are its section, without the heading", () => {
  assertEquals(
    notesOf(CHANGELOG, "0.2.0"),
    "### Added\n\n- A [page](./PAGE.md), and [another site](https://example.com/).\n",
  );
  assertEquals(notesOf(CHANGELOG, "0.1.10"), "Ten.\n");
});

Deno.test("a version without a section has no notes, even if another version begins like it", () => {
  assertThrows(
    () => notesOf(CHANGELOG, "0.1"),
    Error,
    'CHANGELOG.md has no section "[0.1]", only Unreleased, 0.2.0, 0.1.10, 0.1.1',
  );
});

Deno.test("a section without a date or without content is refused", () => {
  assertThrows(() => notesOf(CHANGELOG, "Unreleased"), Error, 'has no date in "## [Unreleased]"');
  assertThrows(() => notesOf(CHANGELOG, "0.1.1"), Error, "says nothing about 0.1.1");
});

Deno.test("relative links become absolute on the page of a release", () => {
  assertEquals(
    withWholeLinks(notesOf(CHANGELOG, "0.2.0"), "https://example.com/tracker/v0.2.0/"),
    "### Added\n\n- A [page](https://example.com/tracker/v0.2.0/PAGE.md), and [another site](https://example.com/).\n",
  );
});
