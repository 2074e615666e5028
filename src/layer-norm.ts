// Layer normalization.

import { checkOptions } from "./argument.js";
import type { Like, Out, OutOption } from "./call.js";
import { fieldsOf, type Parsed } from "./json.js";
import {
  type BackwardResult,
  normFromJson,
  normToJson,
  type ParameterOptions,
  type ParametersJSON,
} from "./parameters.js";
import { RowNormalization } from "./row-norm.js";
import type { Data } from "./tensor.js";
import { type PyTorchRowOptions, pyTorchRows, type StateDict } from "./trained.js";

/**
 * Layer normalization (Ba, Kiros & Hinton 2016): every row by itself
 *
 *     y = (x − mean) / √(variance + epsilon) · gamma + beta
 *
 * with the mean and biased variance of its features, gamma and beta per feature.
 *
 *     const norm = new LayerNorm(384);
 *     norm.apply(tokens, { skip: attention, sum: tokens });     // tokens += attention; then the norm of them
 */
export class LayerNorm extends RowNormalization {
  /**
   * @param features how many: values of the last axis, or of the last axes together; at most 2²⁸
   * @param options `epsilon`, and per feature `gamma` and `beta`
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features: number, options: ParameterOptions = {}) {
    checkOptions(options, ["epsilon", "gamma", "beta"]);
    super(features, true, options);
  }

  /** Shift per feature, or null. May be changed in place between calls. */
  get beta(): Float32Array<ArrayBuffer> | null {
    return this.norm().beta;
  }

  /**
   * The gradients of `apply(x)`. With s = 1/√(variance + epsilon), x̂ = (x − mean)·s and u = dy·gamma they are, means
   * taken over a row and sums over rows,
   *
   *     dBeta = Σdy,   dGamma = Σdy·x̂,   dx = s·(u − mean(u) − x̂·mean(u·x̂))
   *
   * After `apply(x, { skip, sum })` x is the sum; dx is then the gradient of both, x and skip.
   *
   * @param x what was normalized: keep it, in place it is gone
   * @param dy the gradient of the loss with respect to what `apply` returned: as long as x, of either kind
   * @param options where dx goes (`out`)
   * @returns dx in `out`, which may be dy or x, or in new memory of x's kind; dGamma and dBeta per
   *   feature, null where the layer has none
   * @throws TypeError, RangeError, ReferenceError if an argument does not fit; nothing is written
   */
  backward<X extends Data>(x: X, dy: Data, options?: OutOption<Out<X>>): BackwardResult<Like<X>>;
  backward(x: Data, dy: Data, options: OutOption<Data> = {}): BackwardResult<Data> {
    return this.gradientsOf(x, dy, options);
  }

  /** The whole layer, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  toJSON(): ParametersJSON {
    return normToJson(this.features, this.parameters());
  }

  /**
   * The layer that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<ParametersJSON>): LayerNorm {
    const { features, ...options } = normFromJson(fieldsOf("json", json));
    return new LayerNorm(features, options);
  }

  /**
   * A layer of PyTorch's `nn.LayerNorm` from its state dict: `weight` and, unless bias=False, `bias`. Epsilon is not
   * part of a state dict (many transformers have 1e-12); one with elementwise_affine=False has no part in it.
   *
   *     LayerNorm.fromPyTorch(stateDict, { prefix: "encoder.layer.0.output.LayerNorm", epsilon: 1e-12 });
   *
   * @param stateDict an object or a Map of arrays, or of tensors that hold them as `data`
   * @param options which layer (`prefix`), and `epsilon`, which is not in the state dict: 1e-5 by default, as there
   * @throws TypeError, RangeError if a name is missing or a length does not fit; a prefix that no layer has: which
   *   there are
   */
  static fromPyTorch(stateDict: StateDict, options: PyTorchRowOptions = {}): LayerNorm {
    checkOptions(options, ["prefix", "epsilon"]);
    const { features, ...layer } = pyTorchRows(stateDict, options);
    return new LayerNorm(features, layer);
  }
}
