// The public names, and nothing else.

export { Affine, type AffineJSON, type AffineOptions } from "./affine.js";
export { BatchNorm } from "./batch-norm.js";
export type { BatchNormJSON, BatchNormOptions } from "./batch-norm-types.js";
export type { ApplyOptions, Like, Out, OutOption, ShapeOption } from "./call.js";
export { backend, type InitOptions, init } from "./environment.js";
export { Extrema, type ExtremaJSON, type ExtremaOptions } from "./extrema.js";
export type {
  ConvLayout,
  FoldConvOptions,
  FoldedLayer,
  FoldLinearOptions,
  LayerWeights,
} from "./fold-into.js";
export {
  GroupNorm,
  type GroupNormJSON,
  type PyTorchGroupNormOptions,
} from "./group-norm.js";
export type { ImageLike, RgbaImage } from "./image.js";
export {
  type ImageOrderOptions,
  ImageScaler,
  type ImageScalerJSON,
  type ImageScalerOptions,
  type InverseOptions,
} from "./image-scaler.js";
export { InstanceNorm, type InstanceNormJSON, type InstanceNormOptions } from "./instance-norm.js";
export type { JsonNumber, Parsed } from "./json.js";
export { LayerNorm } from "./layer-norm.js";
export type { Nested, Numbers } from "./lists.js";
export {
  MinMaxScaler,
  type MinMaxScalerJSON,
  type MinMaxScalerOptions,
  type SklearnMinMax,
} from "./min-max-scaler.js";
export { type AddOptions, Moments, type MomentsJSON, type MomentsOptions } from "./moments.js";
export type {
  BackwardResult,
  NormJSON,
  NormOptions,
  ParameterOptions,
  ParametersJSON,
} from "./parameters.js";
export type { PixelSumsJSON } from "./pixel-sums.js";
export { RMSNorm, type RMSNormJSON, type RMSNormOptions } from "./rms-norm.js";
export type { SkipOptions } from "./row-norm.js";
export type { LikeSamples, OutSamples, Samples } from "./samples.js";
export type { FitOptions, SklearnOptions, SklearnUnread } from "./scaler.js";
export {
  type SklearnStandard,
  StandardScaler,
  type StandardScalerJSON,
  type StandardScalerOptions,
} from "./standard-scaler.js";
export type { BackwardOptions, BatchGradients, BatchMoments, TrainOptions } from "./synchronized.js";
export { type Data, scope, Tensor, type TensorJSON } from "./tensor.js";
export type {
  KerasConfig,
  OnnxAttributes,
  PyTorchNormOptions,
  PyTorchOptions,
  PyTorchRowOptions,
  StateDict,
  Weights,
} from "./trained.js";
