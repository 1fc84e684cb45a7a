import softmaxFusion from "./softmax_fusion.js";

/** The version of segfuse's plug-in interface that this package needs. */
export const apiVersion = 1;

/** The components that a config may name once this package is among its plug-ins. */
export default [softmaxFusion];
