// What a batch norm is made with, saved as, and returns.

import type { Plain } from "./argument.js";
import type { JsonNumber } from "./json.js";

/** A layer's settings, parameters and running statistics. */
export interface BatchNormOptions extends Plain {
  /** The feature axis: −1 for tables and NHWC, 1 for NCHW. Default: −1, the last. */
  axis?: number | undefined;
  /** Added to the variance, inside the root. Default: 1e-5. */
  epsilon?: number | undefined;
  /**
   * Weight of the NEW batch: running ← (1 − momentum)·running + momentum·batch, as in PyTorch (Keras and
   * ONNX name the complement). null: cumulative average, weight 1/(batches tracked). Default: 0.1.
   */
  momentum?: number | null | undefined;
  /**
   * Whether the running variance is fed the unbiased batch variance, Σ(x − mean)²/(n − 1), as in PyTorch,
   * or the biased one (Keras, ONNX). Normalization always uses the biased one. Default: true.
   */
  unbiased?: boolean | undefined;
  /** Scale per feature; null: the layer has none. Default: ones. */
  gamma?: ArrayLike<number> | null | undefined;
  /** Shift per feature; null: the layer has none. Default: zeros. */
  beta?: ArrayLike<number> | null | undefined;
  /** Where the running mean starts. Default: zeros. */
  runningMean?: ArrayLike<number> | undefined;
  /** Where the running variance starts. Default: ones. */
  runningVariance?: ArrayLike<number> | undefined;
}

/** A layer as JSON. */
export interface BatchNormJSON {
  /** How many features. */
  features: number;
  /** The feature axis. */
  axis: number;
  /** What is added to the variance. */
  epsilon: number;
  /** Weight of the new batch; null: cumulative average. */
  momentum: number | null;
  /** Whether the running variance is fed the unbiased one. */
  unbiased: boolean;
  /** Scale per feature, or null. */
  gamma: JsonNumber[] | null;
  /** Shift per feature, or null. */
  beta: JsonNumber[] | null;
  /** The mean that `infer` uses, per feature. */
  runningMean: JsonNumber[];
  /** The variance that `infer` uses, per feature. */
  runningVariance: JsonNumber[];
  /** Successful calls of `train`. */
  batchesTracked: number;
}

/** The gradients of the loss. */
export interface BackwardResult<Kind> {
  /** With respect to x: as long as x, and of its kind. */
  dx: Kind;
  /** With respect to gamma, per feature; null where the layer has none. */
  dGamma: Float32Array<ArrayBuffer> | null;
  /** With respect to beta, per feature; null where the layer has none. */
  dBeta: Float32Array<ArrayBuffer> | null;
}
