export {
  networkParts,
  partOf,
  traceSegmentor,
  type NetworkPart,
  type SegmentorNode,
  type SegmentorTrace,
  type SegmentorTraceOptions,
} from "./trace_segmentor.ts";
