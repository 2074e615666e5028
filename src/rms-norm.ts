// Root mean square normalization.

import { checkOptions, wrongKind } from "./argument.js";
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

/** What an RMS norm has per feature. */
export type RMSNormOptions = Omit<ParameterOptions, "beta">;

/** The same as JSON. */
export type RMSNormJSON = Omit<ParametersJSON, "beta">;

/** PyTorch's epsilon where none is given: 2⁻²³, the distance of 1 to the next float32. */
const EPSILON = 1.1920928955078125e-7;

/**
 * Root mean square normalization (Zhang & Sennrich 2019): every row by itself
 *
 *     y = x / √(mean(x²) + epsilon) · gamma
 *
 * with the mean over its features, and gamma per feature.
 *
 *     const norm = new RMSNorm(2048, { epsilon: 1e-6 });
 *     norm.apply(tokens, { skip: attention, sum: tokens });     // tokens += attention; then the norm of them
 */
export class RMSNorm extends RowNormalization {
  /**
   * @param features how many: values of the last axis, or of the last axes together; at most 2²⁸
   * @param options `epsilon`, and `gamma` per feature
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features: number, options: RMSNormOptions = {}) {
    checkOptions(options, ["epsilon", "gamma"]);
    const { epsilon, gamma } = options;
    super(features, false, { epsilon, gamma, beta: null });
  }

  /**
   * The gradients of `apply(x)`. With s = 1/√(mean(x²) + epsilon), x̂ = x·s and u = dy·gamma they are, means taken over
   * a row and sums over rows,
   *
   *     dGamma = Σdy·x̂,   dx = s·(u − x̂·mean(u·x̂))
   *
   * After `apply(x, { skip, sum })` x is the sum; dx is then the gradient of both, x and skip.
   *
   * @param x what was normalized: keep it, in place it is gone
   * @param dy the gradient of the loss with respect to what `apply` returned: as long as x, of either kind
   * @param options where dx goes (`out`)
   * @returns dx in `out`, which may be dy or x, or in new memory of x's kind; dGamma per feature, null where the layer
   *   has none
   * @throws TypeError, RangeError, ReferenceError if an argument does not fit; nothing is written
   */
  backward<X extends Data>(
    x: X,
    dy: Data,
    options?: OutOption<Out<X>>,
  ): Omit<BackwardResult<Like<X>>, "dBeta">;
  backward(x: Data, dy: Data, options: OutOption<Data> = {}): Omit<BackwardResult<Data>, "dBeta"> {
    const { dx, dGamma } = this.gradientsOf(x, dy, options);
    return { dx, dGamma };
  }

  /** The whole layer, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  toJSON(): RMSNormJSON {
    const { beta, ...saved } = normToJson(this.features, this.parameters());
    return saved;
  }

  /**
   * The layer that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<RMSNormJSON>): RMSNorm {
    const { features, epsilon, gamma } = normFromJson({ ...fieldsOf("json", json), beta: null });
    return new RMSNorm(features, { epsilon, gamma });
  }

  /**
   * A layer of PyTorch's `nn.RMSNorm`, or of a language model's, from its state dict: `weight`. Epsilon is not part of
   * a state dict: 2⁻²³ by default, as there (language models have 1e-5 or 1e-6).
   *
   *     RMSNorm.fromPyTorch(stateDict, { prefix: "model.layers.0.input_layernorm", epsilon: 1e-6 });
   *
   * @param stateDict an object or a Map of arrays, or of tensors that hold them as `data`
   * @param options which layer (`prefix`), and `epsilon`, which is not in the state dict
   * @throws TypeError, RangeError if a name is missing, or the layer has a bias; a prefix that no layer has: which there
   *   are
   */
  static fromPyTorch(stateDict: StateDict, options: PyTorchRowOptions = {}): RMSNorm {
    checkOptions(options, ["prefix", "epsilon"]);
    const { features, gamma, beta, epsilon = EPSILON } = pyTorchRows(stateDict, options);
    if (beta !== null) throw wrongKind("stateDict", "no bias, which an RMS norm has not", beta);
    return new RMSNorm(features, { epsilon, gamma });
  }
}
