import { Argument, type Command } from "commander";
import { writeFileAtomic } from "../src/util/atomic_file.ts";
import { collect, oneOf } from "./options.ts";

const documents = ["config", "study", "overlay", "report"] as const;
type DocumentName = (typeof documents)[number];

interface Options {
  plugin: string[];
  config: string[];
  set: string[];
  overlay: string[];
  out?: string;
}

/** `segfuse schema`: the JSON schemas of our files, for editors and other programs. */
export function register(program: Command): void {
  program
    .command("schema")
    .description("print the JSON schema (draft 07) of a kind of file, with every registered component")
    .addArgument(
      new Argument("[document]", `kind of file: ${documents.join(", ")}`)
        .argParser(oneOf(documents))
        .default("config"),
    )
    .option("--plugin <module>", "count in a plug-in (path or package; repeatable)", collect, [])
    .option("--config <file>", "count in the plug-ins of a config or a study (repeatable)", collect, [])
    .option("--set <key=value>", "change a value of those configs (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above those configs (repeatable)", collect, [])
    .option("--out <file>", "write the schema to a file")
    .action(schema);
}

async function schema(name: DocumentName, { out, ...options }: Options): Promise<void> {
  const text = await schemaText(name, options);
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  await writeFileAtomic(out, text);
}

async function schemaText(name: DocumentName, { plugin, config, set, overlay }: Options): Promise<string> {
  const { createRegistry } = await import("../src/builtin.ts");
  const { editorSchema, loadPluginsOf } = await import("../src/config/index.ts");
  const { reportJsonSchema } = await import("../src/reports/json_schema.ts");
  const registry = createRegistry();
  await registry.loadPlugins(plugin, `${process.cwd()}/segfuse`);
  for (const file of config) await loadPluginsOf(file, { registry, set, overlays: overlay });
  const document = name === "report" ? reportJsonSchema() : editorSchema(name, registry);
  return `${JSON.stringify(document, null, 2)}\n`;
}
