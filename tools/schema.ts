import { Argument, type Command } from "commander";
import {
  composeSchema,
  ConfigSections,
  forEditors,
  OverlaySchema,
  StudySchema,
} from "../src/config/index.ts";
import { createRegistry } from "../src/registry/registry.ts";

const documents = { config: ConfigSections, study: StudySchema, overlay: OverlaySchema } as const;
type DocumentName = keyof typeof documents;

/** `segfuse schema`: the JSON schemas of our YAML files, for editors. */
export function register(program: Command): void {
  program
    .command("schema")
    .description("print the JSON schema (draft 07) of a kind of file, with every registered component")
    .addArgument(new Argument("[document]", "kind of file").choices(Object.keys(documents)).default("config"))
    .option(
      "--plugin <module>",
      "count in a plug-in (path or package; repeatable)",
      (value, before: string[]) => [...before, value],
      [],
    )
    .action(async (name: DocumentName, { plugin }: { plugin: string[] }) => {
      const registry = createRegistry();
      await registry.loadPlugins(plugin, `${process.cwd()}/segfuse`);
      const schema = forEditors(composeSchema(documents[name], registry));
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    });
}
