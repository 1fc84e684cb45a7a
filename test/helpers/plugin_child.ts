/**
 * Imports plug-ins as the command does: by Node and the hooks, where vitest would compile them itself. Its arguments are
 * the file that names them and their names; what they export goes to standard output as JSON.
 */
import * as segfuse from "../../src/index.ts";
import { importPlugin } from "../../src/registry/plugins.ts";

const [from, ...names] = process.argv.slice(2);
const imported = await Promise.all(
  names.map(async (name) => {
    try {
      const { path, records } = await importPlugin(name, from!, null);
      return { path, types: records.map(({ type }) => type), isSame: records.every(isOfThisCopy) };
    } catch (error) {
      return error instanceof segfuse.SegfuseError ? error.report() : String(error);
    }
  }),
);
process.stdout.write(JSON.stringify(imported));

function isOfThisCopy(record: object): boolean {
  return (record as { tf?: unknown }).tf === segfuse.tf;
}
