import { type Fact, reportFacts, reportRemarks, studyFacts, constantGuessText } from "./facts.ts";
import { headlineScores } from "./metrics.ts";
import type { Report } from "./schema.ts";
import type { StudyReport } from "./study_schema.ts";
import { escapeMarkdown, markdownTable } from "./table.ts";
import { classTable, hasPaper, studyClassTable, studyTable } from "./tables.ts";

/** `report.md` of one evaluation, from its JSON alone. */
export function reportMarkdown(report: Report): string {
  return document([
    `# ${escapeMarkdown(report.name)}`,
    headlineScores(report)
      .map(([title, score]) => `${escapeMarkdown(title)} ${score}`)
      .map((text, i) => (i === 0 ? `**${text}**` : text))
      .join(" · "),
    ...reportRemarks(report).map(escapeMarkdown),
    "## Classes",
    "Per cent.",
    markdownTable(classTable(report)),
    "## How it was made",
    facts([...reportFacts(report), ["Made", report.created]]),
  ]);
}

/** `report.md` of a study, from its JSON alone. */
export function studyMarkdown(study: StudyReport): string {
  const { constant_guess: guess, samples } = study;
  return document([
    `# ${escapeMarkdown(study.title)}`,
    markdownTable(studyTable(study)),
    escapeMarkdown(legend(study)),
    ...(guess === null ? [] : [escapeMarkdown(constantGuessText(guess))]),
    ...(study.notes.length === 0 ? [] : [study.notes.map((note) => `- ${escapeMarkdown(note)}`).join("\n")]),
    "## IoU by class",
    markdownTable(studyClassTable(study).table),
    ...(samples.length === 0 ? [] : ["## Samples"]),
    ...samples.flatMap(({ id, panel, captions }) => [
      `![${escapeMarkdown(id)}](${encodeURI(panel)})`,
      `${escapeMarkdown(id)}, row by row: ${captions.map(escapeMarkdown).join(", ")}.`,
    ]),
    "## How it was made",
    facts([...studyFacts(study), ["Made", study.created]]),
  ]);
}

/** What the columns of a study's table mean. */
export function legend(study: StudyReport): string {
  const { dataset, seeds } = study;
  const over = seeds.length > 1 ? `, mean ± standard deviation over ${seeds.length} seeds` : "";
  const paper = "“paper” columns are the paper's own numbers, on the paper's data; the others are ours, on ";
  return (
    `${hasPaper(study) ? paper : "On "}${dataset.type} ${dataset.split} (${dataset.images} images${over}). Per cent; Δ: against the baseline, in points. ` +
    "Iterations “a + b”: b of its own after the a that it started from."
  );
}

function facts(list: readonly Fact[]): string {
  return list.map(([name, text]) => `- ${escapeMarkdown(name)}: ${escapeMarkdown(text)}`).join("\n");
}

function document(parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}
