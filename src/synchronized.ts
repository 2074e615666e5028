// What replicas of a layer share: the statistics of their whole batch, and its summed gradients.

import { checkObject, isList, nonNegativeInteger, perFeature, wrongKind } from "./argument.js";
import type { Statistics } from "./backend.js";
import type { ApplyOptions, ShapeOption } from "./call.js";
import { emptyStatistics } from "./moments.js";
import { variances } from "./parameters.js";

/** `Moments`, or what has their fields. */
export interface BatchMoments {
  /** Values per feature: a number, the same for all. */
  readonly count: number | Float64Array;
  /** Mean per feature. */
  readonly mean: ArrayLike<number>;
  /** Biased variance per feature. */
  readonly variance: ArrayLike<number>;
}

/** Sums per feature over a batch or a part of it. */
export interface BatchGradients {
  /** Σdy·x̂ per feature, with x̂ = (x − mean)/√(variance + epsilon). */
  readonly dGamma: Float64Array<ArrayBuffer>;
  /** Σdy per feature. */
  readonly dBeta: Float64Array<ArrayBuffer>;
}

/** How a layer is trained. */
export interface TrainOptions extends ApplyOptions {
  /** Statistics of the whole batch, of which x is a part. Default: those of x. */
  moments?: BatchMoments | undefined;
}

/** Which gradients are computed. */
export interface BackwardOptions extends ShapeOption {
  /** Whether the statistics are constants, as in `infer`: for fine-tuning. Default: false. */
  frozen?: boolean | undefined;
  /** The sums of `gradients` over all parts of the batch, of which x is one. Default: those of x. */
  gradients?:
    | {
        /** Σdy·x̂ per feature, over all parts. */
        readonly dGamma: ArrayLike<number>;
        /** Σdy per feature, over all parts. */
        readonly dBeta: ArrayLike<number>;
      }
    | undefined;
}

/** The statistics of moments that somebody else has collected. */
export function statisticsOf(moments: unknown, features: number): Statistics {
  checkObject("moments", moments);
  const { count, mean, variance }: Partial<Record<keyof BatchMoments, unknown>> = moments;
  if (isList(count)) {
    throw wrongKind(
      "moments.count",
      'one number, the same for all features (Moments without nan: "ignore")',
      count,
    );
  }
  const n = nonNegativeInteger("moments.count", count);
  const batch = { ...emptyStatistics(features), count: n };
  batch.mean.set(perFeature("moments.mean", mean, features));
  const squares = variances("moments.variance", variance, features);
  for (let j = 0; j < features; j++) batch.m2[j] = squares[j] * n;
  return batch;
}

export function gradientsOf(gradients: unknown, features: number): BatchGradients {
  checkObject("gradients", gradients);
  const { dGamma, dBeta }: Partial<Record<keyof BatchGradients, unknown>> = gradients;
  return {
    dGamma: Float64Array.from(perFeature("gradients.dGamma", dGamma, features)),
    dBeta: Float64Array.from(perFeature("gradients.dBeta", dBeta, features)),
  };
}
