#!/usr/bin/env node
// The command of the installed package. `npm pack` builds only where scripts may run, and npm says nothing where they
// may not: a package without its build says so itself.
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const built = import.meta.resolve("../dist/tools/segfuse.js");
if (existsSync(fileURLToPath(built))) {
  await import(built);
} else {
  process.stderr.write(
    "segfuse: this package was packed without being built\n" +
      "  try: npm pack --ignore-scripts=false in segfuse's checkout, and install what that writes\n",
  );
  process.exitCode = 1;
}
