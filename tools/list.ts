import { Argument, type Command } from "commander";
import { composeSchema, ConfigSections } from "../src/config/index.ts";
import { describeSchema, type JsonSchema } from "../src/config/json_schema.ts";
import { createRegistry, kinds } from "../src/builtin.ts";
import type { AnyRecord, Kind, Registry } from "../src/kinds.ts";
import { oneOf } from "./options.ts";

const paperUrl = "https://arxiv.org/abs/1904.01803";

interface Listed {
  kind: Kind;
  type: string;
  description: string;
  /** Where the GFF paper describes it; null: not there, or not said. */
  paper: { section: string; url: string } | null;
  source: string;
  options: { name: string; accepts: string; default?: unknown; required: boolean; description: string }[];
}

/** `segfuse list`: the components that a config may name. */
export function register(program: Command): void {
  program
    .command("list")
    .description("list components; with a type, its options")
    .addArgument(new Argument("[kind]", `kind of component: ${kinds.join(", ")}`).argParser(oneOf(kinds)))
    .argument("[type]", "one component of the kind")
    .option(
      "--plugin <module>",
      "count in a plug-in (path or package; repeatable)",
      (value, before: string[]) => [...before, value],
      [],
    )
    .option("--json", "print one JSON document")
    .action(
      async (
        kind: Kind | undefined,
        type: string | undefined,
        options: { plugin: string[]; json?: boolean },
      ) => {
        const registry = createRegistry();
        await registry.loadPlugins(options.plugin, `${process.cwd()}/segfuse`);
        const records = type === undefined ? recordsOf(registry, kind) : [registry.get(kind!, type)];
        const listed = records.map((record) => describe(record, registry));
        if (options.json === true) process.stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
        else process.stdout.write(`${type === undefined ? overview(listed) : details(listed[0]!)}\n`);
      },
    );
}

function recordsOf(registry: Registry, kind: Kind | undefined): AnyRecord[] {
  return (kind === undefined ? kinds : [kind]).flatMap((one): AnyRecord[] => [...registry.list(one)]);
}

function describe(record: AnyRecord, registry: Registry): Listed {
  const { kind, type, description } = record;
  const schema = composeSchema(ConfigSections, registry);
  const definitions = schema.definitions ?? {};
  const union = definitions[`${kind}_slot`] ?? definitions[kind];
  const own = union?.oneOf?.find((branch) => branch.title === type) ?? {};
  const options = Object.entries(own.properties ?? {}).filter(([name]) => name !== "type");
  return {
    kind,
    type,
    description,
    paper: record.paper === undefined ? null : { section: record.paper, url: paperUrl },
    source: registry.source(record),
    options: options.map(([name, option]: [string, JsonSchema]) => ({
      name,
      accepts: describeSchema(option),
      ...(option.default === undefined ? {} : { default: option.default }),
      required: option.default === undefined && (own.required ?? []).includes(name),
      description: option.description ?? "",
    })),
  };
}

function overview(listed: readonly Listed[]): string {
  const width = Math.max(0, ...listed.map(({ type }) => type.length));
  const line = ({ type, description }: Listed) => `  ${type.padEnd(width)}  ${description}`;
  const groups = kinds.map((kind) => [kind, listed.filter((record) => record.kind === kind)] as const);
  return groups
    .filter(([, records]) => records.length > 0)
    .map(([kind, records]) => [kind, ...records.map(line)].join("\n"))
    .join("\n\n");
}

function details({ kind, type, description, paper, source, options }: Listed): string {
  const lines = options.map((option) => {
    const fallback = option.required ? "required" : `default: ${JSON.stringify(option.default)}`;
    return `  ${option.name}: ${option.accepts} (${fallback})\n      ${option.description}`;
  });
  const head = [`${kind} ${type}: ${description}`];
  if (paper !== null) head.push(`  paper: ${paper.section} (${paper.url})`);
  if (source !== "segfuse") head.push(`  from: ${source}`);
  return [...head, ...(lines.length === 0 ? ["  no options"] : lines)].join("\n");
}
