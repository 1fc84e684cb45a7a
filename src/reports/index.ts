/** Reports: their published schemas, how they are made, read and written, and how they are printed. */
export { createReport, createStudyReport, studyRun } from "./create.ts";
export type { ReportInputs, StudyRowInputs } from "./create.ts";
export { readReport, writeReport, writeStudyReport } from "./files.ts";
export type { AnyReport } from "./files.ts";
export { cutPanel, panelCaptions, renderPanel } from "./panel.ts";
export type { Panel, PanelInputs } from "./panel.ts";
export { colourMap, encodeIndex, encodeRgb, overlay } from "./pictures.ts";
export { ReportSchema } from "./schema.ts";
export type { Report } from "./schema.ts";
export { StudyReportSchema } from "./study_schema.ts";
export type { StudyReport, StudyRow, StudyRun, StudySample } from "./study_schema.ts";
export { formatComparison, formatReport, formatStudyTable } from "./text.ts";
