import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pathGlob } from "../../src/util/path_glob.ts";

// The shell is the measure: what `bash` makes of a pattern is what a quoted pattern finds.

const root = mkdtempSync(join(tmpdir(), "segfuse-glob-"));
const names = [
  "a.png",
  "b.png",
  "ab.jpg",
  "a-b.png",
  "a+b(1).png",
  ".h.png",
  "[x].png",
  "ü.png",
  "x/a.png",
  "x/y/a.png",
];
const more = [
  "x/y/b.jpg",
  "x/.z/a.png",
  "xx/a.png",
  "xx/y/z/1.png",
  "0/1.png",
  "9/1.png",
  "a\\b.png",
  "^.png",
];
beforeAll(() => {
  for (const name of [...names, ...more]) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), "");
  }
  symlinkSync(join(root, "x"), join(root, "link"));
  execFileSync("mkfifo", [join(root, "pipe.png")]);
});
afterAll(() => rmSync(root, { recursive: true }));

const patterns = [
  ...[
    "*",
    "*.png",
    "?.png",
    "a*",
    "*b*",
    "[ab].png",
    "[!a].png",
    "[^a].png",
    "[a-z].png",
    "[z-a].png",
    "a[-+]b*",
  ],
  ...[
    "*/*.png",
    "*/y/*",
    "x/*/?.png",
    "**/*.png",
    "x/**",
    "**/a.png",
    "x/**/a.png",
    "**/y/**/*.png",
    "*/**/1.png",
  ],
  ...[
    "{a,b}.png",
    "*.{png,jpg}",
    "{x,xx}/a.png",
    "{x/y,0}/*",
    "{a}.png",
    ".*",
    "x/.*/a.png",
    "[[]x].png",
    "a+b(1).*",
  ],
  ...[
    "nothing*",
    "none/*.png",
    "?/1.png",
    "[0-9]/1.png",
    "link/*.png",
    "[[^]*",
    "*.PNG",
    "a.png*",
    "[",
    "a[",
    "ü*",
  ],
];

it.each(patterns)("%s", async (pattern) => {
  const script = `shopt -s nullglob globstar; LC_ALL=C.UTF-8; for f in ${pattern.replaceAll(/[()]/g, "\\$&")}; do printf '%s\\n' "$f"; done`;
  const listed = execFileSync("bash", ["-c", script], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
  const files = [...new Set(listed)].filter((name) =>
    statSync(join(root, name), { throwIfNoEntry: false })?.isFile(),
  );
  const { base, files: found } = await pathGlob(join(root, pattern));
  const inside = found.map((file) => join(base, file).slice(root.length + 1));
  expect(inside).toEqual(files.sort((a, b) => (a < b ? -1 : 1)));
});
