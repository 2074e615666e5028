// What a batch norm is made with, saved as, and returns.

import type { JsonNumber } from "./json.js";
import type { NormJSON, NormOptions } from "./parameters.js";

/** A layer's settings, parameters and running statistics. */
export interface BatchNormOptions extends NormOptions {
  /**
   * Weight of the NEW batch, 0 to 1: running ← (1 − momentum)·running + momentum·batch, as in PyTorch (Keras and
   * ONNX name the complement). null: cumulative average, weight 1/(batches tracked). Default: 0.1.
   */
  momentum?: number | null | undefined;
  /**
   * Whether the running variance is fed the unbiased batch variance, Σ(x − mean)²/(n − 1), as in PyTorch,
   * or the biased one (Keras, ONNX). Normalization always uses the biased one. Default: true.
   */
  unbiased?: boolean | undefined;
  /** Where the running mean starts. Default: zeros. */
  runningMean?: ArrayLike<number> | undefined;
  /** Where the running variance starts. Default: ones. */
  runningVariance?: ArrayLike<number> | undefined;
}

/** A layer as JSON. */
export interface BatchNormJSON extends NormJSON {
  /** Weight of the new batch; null: cumulative average. */
  momentum: number | null;
  /** Whether the running variance is fed the unbiased one. */
  unbiased: boolean;
  /** The mean that `infer` uses, per feature. */
  runningMean: JsonNumber[];
  /** The variance that `infer` uses, per feature. */
  runningVariance: JsonNumber[];
  /** Successful calls of `train`. */
  batchesTracked: number;
}
