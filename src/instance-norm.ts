// Instance normalization: group normalization of single features.

import { checkOptions, perFeature, wrongKind } from "./argument.js";
import type { Statistics } from "./backend.js";
import {
  APPLY,
  type ApplyOptions,
  Call,
  type Like,
  type Out,
  type OutOption,
  type ShapeOption,
} from "./call.js";
import { Grouped } from "./grouped.js";
import { fieldsOf, type JsonNumber, listFromJson, listToJson, type Parsed } from "./json.js";
import { layerFromJson, NORM } from "./layer.js";
import {
  type BackwardResult,
  type NormJSON,
  type NormOptions,
  noGradients,
  resultOf,
  variances,
} from "./parameters.js";
import type { Data } from "./tensor.js";
import { type PyTorchNormOptions, pyTorchInstances, type StateDict } from "./trained.js";

/** A layer's settings and parameters, and perhaps statistics that are fixed. */
export interface InstanceNormOptions extends NormOptions {
  /** With `runningVariance`: the mean per feature that x is normalized by. Default: x's own. */
  runningMean?: ArrayLike<number> | undefined;
  /** With `runningMean`: the variance per feature that x is normalized by. Default: x's own. */
  runningVariance?: ArrayLike<number> | undefined;
}

/** An instance norm as JSON. */
export interface InstanceNormJSON extends NormJSON {
  /** The mean per feature that x is normalized by; null: x's own. */
  runningMean: JsonNumber[] | null;
  /** The variance per feature that x is normalized by; null: x's own. */
  runningVariance: JsonNumber[] | null;
}

/**
 * Instance normalization (Ulyanov, Vedaldi & Lempitsky 2016): every feature of every image by itself
 *
 *     y = (x − mean) / √(variance + epsilon) · gamma + beta
 *
 * with its mean and biased variance. It does the same in training and inference. With running statistics it maps by
 * those, as PyTorch's evaluation does after track_running_stats=True.
 *
 *     const norm = new InstanceNorm(64, { axis: 1 });
 *     norm.apply(x, { shape: [1, 64, 128, 128], activation: "relu" });
 */
export class InstanceNorm extends Grouped {
  readonly #running: Statistics | null;

  /**
   * @param features how many, at most 2²⁸
   * @param options the feature axis (`axis`), `epsilon`, and per feature `gamma` and `beta`; `runningMean` and
   *   `runningVariance` together, if x is to be normalized by them
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features: number, options: InstanceNormOptions = {}) {
    super(features, features, options, [...NORM, "runningMean", "runningVariance"]);
    const { runningMean, runningVariance } = options;
    this.#running = fixed(features, runningMean, runningVariance);
  }

  /** The mean per feature that x is normalized by; null: x's own. A copy. */
  get runningMean(): Float64Array<ArrayBuffer> | null {
    return this.#running?.mean.slice() ?? null;
  }

  /** The variance per feature that x is normalized by; null: x's own. A copy. */
  get runningVariance(): Float64Array<ArrayBuffer> | null {
    return this.#running?.m2.slice() ?? null;
  }

  /**
   * Normalizes x by the mean and biased variance of every feature of every image, or by running statistics: y = (x −
   * mean)/√(variance + epsilon)·gamma + beta, then plus `residual`, then the activation.
   *
   * @param x float32 values, row-major; its first axis is the batch
   * @param options where the result goes (`out`), sizes of an array (`shape`), and what follows the map (`residual`,
   *   `activation`)
   * @returns `out`, or a new array or tensor of x's shape
   * @throws TypeError, RangeError if an argument does not fit
   */
  override apply<X extends Data>(x: X, options?: OutOption<Out<X>> & ApplyOptions): Like<X>;
  override apply(x: Data, options: OutOption<Data> & ApplyOptions = {}): Data {
    const statistics = this.#running;
    if (statistics === null) return super.apply(x, options);
    checkOptions(options, APPLY);
    const call = new Call(x, options, this.features, this.axis);
    return call.map({ statistics, norm: this.parameters() });
  }

  /**
   * The gradients of `apply(x)`, as for `GroupNorm`; by running statistics, which are constants, dx = gamma·s·dy.
   *
   * @param x what `apply` was given: keep it, in place it is gone
   * @param dy the gradient of the loss with respect to what `apply` returned: as long as x, of either kind
   * @param options where dx goes (`out`), and sizes of an array (`shape`)
   * @returns dx in `out`, which may be dy or x, or in new memory of x's kind; dGamma and dBeta per
   *   feature, null where the layer has none
   * @throws TypeError, RangeError if an argument does not fit
   */
  override backward<X extends Data>(
    x: X,
    dy: Data,
    options?: OutOption<Out<X>> & ShapeOption,
  ): BackwardResult<Like<X>>;
  override backward(x: Data, dy: Data, options: OutOption<Data> & ShapeOption = {}): BackwardResult<Data> {
    const statistics = this.#running;
    if (statistics === null) return super.backward(x, dy, options);
    checkOptions(options, ["out", "shape"]);
    const { out, shape } = options;
    const call = new Call(x, { out, shape }, this.features, this.axis, "dy", dy);
    const norm = this.parameters();
    const gradients = noGradients(this.features);
    const dx = call.run((pass, layout) => {
      pass.gradients(layout, statistics, norm, gradients);
      pass.slope(layout, statistics, norm, noGradients(this.features));
    });
    return resultOf(dx, norm, gradients);
  }

  /** The whole layer, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  override toJSON(): InstanceNormJSON {
    const { runningMean, runningVariance } = this;
    return {
      ...super.toJSON(),
      runningMean: runningMean && listToJson(runningMean),
      runningVariance: runningVariance && listToJson(runningVariance),
    };
  }

  /**
   * The layer that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<InstanceNormJSON>): InstanceNorm {
    const saved = fieldsOf("json", json);
    const { features, ...options } = layerFromJson(saved);
    const values = (name: string) =>
      saved[name] === null ? undefined : listFromJson(name, saved[name], features);
    return new InstanceNorm(features, {
      ...options,
      runningMean: values("runningMean"),
      runningVariance: values("runningVariance"),
    });
  }

  /**
   * A layer of PyTorch's `nn.InstanceNorm1d/2d/3d` from its state dict: `weight` and `bias`, and the running statistics
   * of track_running_stats=True, by which PyTorch's evaluation maps, and so does this layer. The feature axis is 1 by
   * default, as it is there. Epsilon is not part of a state dict. PyTorch's default is affine=False, which has no part
   * in a state dict: `new InstanceNorm(features, { axis: 1 })` is that layer.
   *
   * @param stateDict an object or a Map of arrays, or of tensors that hold them as `data`
   * @param options which layer (`prefix`), and what is not in the state dict (`epsilon`, `axis`)
   * @throws TypeError, RangeError if a name is missing or a length does not fit; a prefix that no layer has: which
   *   there are
   */
  static fromPyTorch(stateDict: StateDict, options: PyTorchNormOptions = {}): InstanceNorm {
    checkOptions(options, ["prefix", "epsilon", "axis"]);
    const { features, ...layer } = pyTorchInstances(stateDict, options);
    return new InstanceNorm(features, layer);
  }
}

/** Both running statistics, or neither. */
function fixed(
  features: number,
  mean: ArrayLike<number> | undefined,
  variance: ArrayLike<number> | undefined,
): Statistics | null {
  if (mean === undefined && variance === undefined) return null;
  if (mean === undefined) throw wrongKind("runningMean", "one beside runningVariance", mean);
  if (variance === undefined) throw wrongKind("runningVariance", "one beside runningMean", variance);
  return {
    count: 1,
    mean: Float64Array.from(perFeature("runningMean", mean, features)),
    m2: Float64Array.from(variances("runningVariance", variance, features)),
  };
}
