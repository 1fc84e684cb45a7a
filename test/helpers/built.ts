import { fileURLToPath } from "node:url";

/** The checkout, with a `/` at its end. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where {@link ./build.ts} puts what tests start as processes: a level below the checkout, as dist/ is. */
export const builtFolder = `${root}.built/`;

/**
 * A module of this checkout as a program and its first arguments.
 *
 * @param module from the checkout's root: `test/helpers/engine_child.ts`
 */
export function program(module: string): [node: string, module: string] {
  return [process.execPath, `${builtFolder}${module.replace(/\.ts$/, ".js")}`];
}

/** `segfuse` as a program and its first arguments, as the installed package starts it. */
export const segfuseProgram = program("tools/segfuse.ts");
