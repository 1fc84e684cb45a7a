export {
  networkParts,
  partOf,
  traceSegmentor,
  type NetworkPart,
  type SegmentorNode,
  type SegmentorTrace,
  type SegmentorTraceOptions,
} from "./trace_segmentor.ts";
export { conventions, conventionTexts, type Convention } from "./conventions.ts";
export { costOf, type ByPart, type Cost, type CostOptions } from "./count.ts";
