/**
 * segfuse: semantic segmentation from declarative configs.
 *
 * Three groups of exports: what a program calls, what a component of your own is made of, and the types of both.
 * Errors that a user can cause are `SegfuseError` with a `code`. Tensors are NHWC float32, [batch, height, width,
 * channels]; sizes are [height, width]; scores are fractions.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** TensorFlow.js as segfuse uses it: plug-ins compute with this very copy. */
export { tf };
export { Type, type Static } from "typebox";
export { apiVersion } from "./registry/api_version.ts";
export { SegfuseError, errorCodes, type ErrorCode, type ErrorDetails } from "./errors.ts";

// Programs
export {
  build,
  countCost,
  evaluate,
  predict,
  train,
  type BuildOptions,
  type CallOptions,
  type CostOptions,
  type EvaluateOptions,
  type PredictOptions,
  type TrainOptions,
} from "./api/programs.ts";
export { loadConfig, loadStudy, type LoadOptions, type StudyOptions } from "./api/configs.ts";
export {
  ConfigError,
  stringifyConfig,
  type Complaint,
  type Config,
  type LoadedConfig,
  type LoadedStudy,
} from "./config/index.ts";
export type { Convention, Cost } from "./cost/index.ts";
export { openEngine, type Engine, type EngineOptions, type EngineType } from "./engine/engine.ts";
export { Segmentor, type LossResult } from "./models/segmentor.ts";
export { createRegistry } from "./builtin.ts";
export type { Registry } from "./kinds.ts";
export type { Report } from "./reports/index.ts";
export type { ImagePrediction } from "./runners/predict.ts";
export type { PredictionFailure } from "./runners/prediction/failures.ts";
export type { ProgressCallback, RunProgress } from "./training/progress.ts";
export type { TrainResult } from "./runners/train.ts";
export { stderrLogger, type Logger } from "./util/logger.ts";

// Components: a plug-in's default export is one of these, or a list
export {
  defineAuxiliaryHead,
  defineHead,
  type AuxiliaryHeadRecord,
  type HeadRecord,
} from "./heads/contracts.ts";
export { defineBackbone, type BackboneRecord } from "./models/backbones/contracts.ts";
export { pretrainedOptionNames, pretrainedOptions } from "./models/backbones/stages.ts";
export { defineContext, type ContextRecord } from "./contexts/contracts.ts";
export {
  defineDataset,
  defineTransform,
  type DatasetRecord,
  type TransformRecord,
} from "./datasets/contracts.ts";
export { defineHook, type HookRecord } from "./training/hooks/contracts.ts";
export { defineOptimizer, type OptimizerRecord } from "./training/optimizers/contracts.ts";
export { defineSchedule, type ScheduleRecord } from "./training/schedules/contracts.ts";
export { defineLoss, defineVectorLoss, type LossRecord, type VectorLossRecord } from "./losses/contracts.ts";
export { defineMetric, type MetricRecord } from "./evaluation/metrics/contracts.ts";
export { defineNameMap, type NameMapRecord } from "./weights/maps/contracts.ts";
export { defineNeck, type NeckRecord } from "./necks/contracts.ts";
export { kinds } from "./builtin.ts";
export { runTokens } from "./training/tokens.ts";
export type { ReadonlyScope } from "./registry/scope.ts";
export type { Token } from "./registry/tokens.ts";
export type { HookList, NamedHook } from "./training/hook_list.ts";
export type { AnyRecord, Kind } from "./kinds.ts";
export type { ComponentRule, RuleFinding, Surroundings } from "./registry/record.ts";
export { componentName, componentRef, pathOption, type ComponentConfig } from "./registry/component_ref.ts";

// What components are made of
export { composeNeck, type NeckParts } from "./necks/compose_neck.ts";
export { ContextModule, contextOption, type ContextInputs } from "./contexts/contracts.ts";
export {
  AuxiliaryHead,
  Head,
  lossesOption,
  type AuxiliaryHeadInputs,
  type HeadInputs,
  type HeadOutputs,
  type HeadTensors,
  type SupervisedOutput,
} from "./heads/contracts.ts";
export { Backbone, type BackboneInputs, type LevelInfo } from "./models/backbones/contracts.ts";
export { Neck, type NeckInputs, type NeckTensors } from "./necks/contracts.ts";
export {
  addResidual,
  BatchNorm2d,
  concatResized,
  Conv2d,
  ConvBnRelu,
  convBnRelu,
  convOfConcat,
  DepthwiseConv2d,
  DropPath,
  Dropout2d,
  Gelu,
  GroupNorm,
  kaimingNormalFanOut,
  LayerNorm,
  Linear,
  makeNorm,
  materialise,
  Module,
  MultiHeadAttention,
  NetworkContext,
  Norm,
  normal,
  ones,
  Parameter,
  PositionEmbedding,
  Relu,
  Relu6,
  resizeLike,
  resizeTo,
  samePadding,
  sequential,
  sumResized,
  truncatedNormal,
  xavierUniform,
  zeros,
  type Conv2dOptions,
  type ConvBnReluOptions,
  type DepthwiseConv2dOptions,
  type Initialiser,
  type Layer,
  type LinearOptions,
  type NormOptions,
} from "./nn/index.ts";
export {
  adaptiveAvgPool,
  conv2d,
  depthwiseConv2d,
  gelu,
  maxPool,
  resizeBicubic,
  resizeBilinear,
  softmaxCrossEntropy,
} from "./engine/ops/index.ts";
export { fusionOptions, gateOptions } from "./necks/parts.ts";
export type { Loss, LossInputs, VectorLoss } from "./losses/contracts.ts";
export type {
  Dataset,
  DatasetInfo,
  RawImage,
  RawLabel,
  RawSample,
  Sample,
  Transform,
  TransformInputs,
} from "./datasets/contracts.ts";
export { readImage } from "./datasets/image_file.ts";
export type { FinishedCheckpoint, FinishedUpdate, JsonValue } from "./checkpoints/state.ts";
export type {
  FinishedEvaluation,
  Hook,
  HookContext,
  HookStage,
  PendingUpdate,
  RunControl,
} from "./training/hooks/contracts.ts";
export type { Optimizer, OptimizerInputs } from "./training/optimizers/contracts.ts";
export type { Schedule } from "./training/schedules/contracts.ts";
export { meanOfClasses, nanMean } from "./evaluation/metrics/parts.ts";
export type {
  ClassCounts,
  EvaluationCounts,
  EvaluationResult,
  Metric,
  MetricInputs,
} from "./evaluation/contracts.ts";
export { Random } from "./util/random.ts";
export type { Size } from "./util/size.ts";
