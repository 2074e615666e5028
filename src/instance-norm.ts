// Instance normalization: group normalization of single features.

import { checkOptions } from "./argument.js";
import { Grouped } from "./grouped.js";
import { fieldsOf, type Parsed } from "./json.js";
import { layerFromJson } from "./layer.js";
import type { NormJSON, NormOptions } from "./parameters.js";
import { type PyTorchNormOptions, pyTorchNorm, type StateDict } from "./trained.js";

/**
 * Instance normalization (Ulyanov, Vedaldi & Lempitsky 2016): every feature of every image by itself
 *
 *     y = (x − mean) / √(variance + epsilon) · gamma + beta
 *
 * with its mean and biased variance. It does the same in training and inference.
 *
 *     const norm = new InstanceNorm(64, { axis: 1 });
 *     norm.apply(x, { shape: [1, 64, 128, 128], activation: "relu" });
 */
export class InstanceNorm extends Grouped {
  /**
   * @param features how many, at most 2²⁸
   * @param options the feature axis (`axis`), `epsilon`, and per feature `gamma` and `beta`
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features: number, options: NormOptions = {}) {
    super(features, features, options);
  }

  /**
   * The layer that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<NormJSON>): InstanceNorm {
    const { features, ...options } = layerFromJson(fieldsOf("json", json));
    return new InstanceNorm(features, options);
  }

  /**
   * A layer of PyTorch's `nn.InstanceNorm1d/2d/3d` with affine=True from its state dict: `weight` and `bias`. The
   * feature axis is 1 by default, as it is there. Epsilon is not part of a state dict. PyTorch's default is
   * affine=False, which has no part in a state dict: `new InstanceNorm(features, { axis: 1 })` is that layer.
   *
   * With track_running_stats=True the state dict has `running_mean` and `running_var`, and PyTorch's evaluation mode
   * normalizes no instance: it maps by them. That layer is `BatchNorm.fromPyTorch(stateDict, { prefix }).infer(x)`, and
   * is refused here.
   *
   * @param stateDict an object or a Map of arrays, or of tensors that hold them as `data`
   * @param options which layer (`prefix`), and what is not in the state dict (`epsilon`, `axis`)
   * @throws TypeError, RangeError if a name is missing or a length does not fit, or there are running statistics; a
   *   prefix that no layer has: which there are
   */
  static fromPyTorch(stateDict: StateDict, options: PyTorchNormOptions = {}): InstanceNorm {
    checkOptions(options, ["prefix", "epsilon", "axis"]);
    const { features, ...layer } = pyTorchNorm(stateDict, options);
    return new InstanceNorm(features, layer);
  }
}
