export { ConfigError, type Complaint } from "./complaint.ts";
export { composeSchema } from "./compose.ts";
export { diffConfigs, diffText, stringifyWithOrigins, type ConfigDifference } from "./describe.ts";
export { editorSchema, type EditorDocument } from "./editor_schema.ts";
export { configHash } from "./hash.ts";
export {
  loadConfig,
  requireEnvironment,
  stringifyConfig,
  withSeed,
  type LoadedConfig,
  type LoadOptions,
  type Origins,
} from "./load.ts";
export { originText, provenance, type Origin } from "./origin.ts";
export { OverlaySchema } from "./overlay.ts";
export { ConfigSections, type Config } from "./sections.ts";
export {
  isStudy,
  loadPluginsOf,
  loadStudy,
  StudySchema,
  type LoadedStudy,
  type StudyOptions,
  type StudyRow,
} from "./study.ts";
