import type { TObject } from "typebox";
import { ReportSchema } from "./schema.ts";
import { StudyReportSchema } from "./study_schema.ts";

/**
 * The JSON schema (draft 07) of a `report.json`: that of one evaluation or that of a study, as its `format` says.
 */
export function reportJsonSchema(): Record<string, unknown> {
  const reports = [ReportSchema, StudyReportSchema];
  const formats = reports.map((report) => report.properties.format.const);
  const names = ["evaluation", "study"] as const;
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "segfuse report",
    type: "object",
    required: ["format"],
    properties: {
      format: {
        enum: formats,
        description: "what the file reports",
        enumDescriptions: names.map((name) => `the ${name} report`),
      },
    },
    allOf: formats.map((format, i) => ({
      if: { required: ["format"], properties: { format: { const: format } } },
      then: { $ref: `#/definitions/${names[i]!}` },
    })),
    definitions: Object.fromEntries(reports.map((report, i) => [names[i]!, withoutId(report)])),
  };
}

/** Inside another document, an `$id` would make every reference relative to itself. */
function withoutId(schema: TObject): unknown {
  const copy = JSON.parse(JSON.stringify(schema)) as { $id?: string };
  delete copy.$id;
  return copy;
}
