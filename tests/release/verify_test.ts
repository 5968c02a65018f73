import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import { parseChecksums, verify } from "../../.release/verify.ts";

/** The checksums of "abc" and of an empty file. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Runs a test in a directory with a list of checksums and two files: one contains "abc", the other is empty. */
async function inDirectory(sums: string, test: (directory: URL) => Promise<unknown>): Promise<void> {
  const path = await Deno.makeTempDir();
  const directory = pathToFileURL(`${path}/`);
  try {
    await Deno.writeTextFile(new URL("SHA256SUMS", directory), sums);
    await Deno.writeTextFile(new URL("abc", directory), "abc", { mode: 0o644 });
    await Deno.writeTextFile(new URL("nothing", directory), "", { mode: 0o644 });
    await test(directory);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("a complete directory is verified, and its programs are made executable", async () => {
  await inDirectory(`${ABC}  abc\n${NOTHING} *nothing\n`, async (directory) => {
    await verify(directory, ["abc", "nothing"]);
    if (Deno.build.os === "windows") return; // It has no executable mode.
    assertEquals((await Deno.stat(new URL("abc", directory))).mode! & 0o777, 0o755);
  });
});

Deno.test("a file with other bytes is refused", async () => {
  await inDirectory(
    `${NOTHING}  abc\n`,
    (directory) => assertRejects(() => verify(directory, ["abc"]), Error, `its checksum is ${ABC}, not ${NOTHING}`),
  );
});

Deno.test("a file that is missing, not listed or not expected is refused", async () => {
  await inDirectory(`${ABC}  abc\n${ABC}  gone\n`, async (directory) => {
    await assertRejects(() => verify(directory, ["abc"]), Error, "gone is no file of this release");
    await assertRejects(() => verify(directory, ["abc", "gone"]), Error, "Cannot verify gone: there is no such file");
  });
  await inDirectory(
    `${ABC}  abc\n`,
    (directory) => assertRejects(() => verify(directory, ["abc", "nothing"]), Error, "SHA256SUMS does not list it"),
  );
});

Deno.test("a list of checksums contains names of files, not paths", () => {
  assertEquals([...parseChecksums(`${ABC}  a b\n`)], [["a b", ABC]]);
  for (const line of ["", "abc  abc", `${ABC} abc`, `${ABC}  ../abc`, `${ABC}  a\\b`]) {
    assertThrows(() => parseChecksums(line), Error, `"${line}" is no entry`);
  }
});
