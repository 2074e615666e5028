// Group normalization.

import { checkOptions, positiveInteger } from "./argument.js";
import { Grouped } from "./grouped.js";
import { fieldsOf, type Parsed } from "./json.js";
import { layerFromJson } from "./layer.js";
import type { NormJSON, NormOptions } from "./parameters.js";
import { type PyTorchNormOptions, pyTorchNorm, type StateDict } from "./trained.js";

/** A group norm as JSON. */
export interface GroupNormJSON extends NormJSON {
  /** How many groups. */
  groups: number;
}

/** Which layer of a state dict is meant, and what a state dict does not say of it. */
export interface PyTorchGroupNormOptions extends PyTorchNormOptions {
  /** How many groups: PyTorch's `num_groups`. */
  groups: number;
}

/**
 * Group normalization (Wu & He 2018): every image by itself, in groups of features that stand together
 *
 *     y = (x − mean) / √(variance + epsilon) · gamma + beta
 *
 * with the mean and biased variance of a group, gamma and beta per feature. It does the same in training and
 * inference. One group is layer normalization of whole images.
 *
 *     const norm = new GroupNorm(32, 320, { axis: 1 });
 *     norm.apply(x, { shape: [1, 320, 64, 64], activation: "relu" });
 */
export class GroupNorm extends Grouped {
  readonly #groups: number;

  /**
   * @param groups how many, a divisor of `features`
   * @param features how many, at most 2²⁸
   * @param options the feature axis (`axis`), `epsilon`, and per feature `gamma` and `beta`
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(groups: number, features: number, options: NormOptions = {}) {
    super(groups, features, options);
    this.#groups = groups;
  }

  /** How many groups. */
  get groups(): number {
    return this.#groups;
  }

  /** The whole layer, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  override toJSON(): GroupNormJSON {
    return { groups: this.#groups, ...super.toJSON() };
  }

  /**
   * The layer that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<GroupNormJSON>): GroupNorm {
    const saved = fieldsOf("json", json);
    const { features, ...options } = layerFromJson(saved);
    return new GroupNorm(positiveInteger("groups", saved.groups), features, options);
  }

  /**
   * A layer of PyTorch's `nn.GroupNorm` from its state dict: `weight` and `bias`. The feature axis is 1 by default, as
   * it is there. Groups and epsilon are not part of a state dict; one with affine=False has no part in it.
   *
   *     GroupNorm.fromPyTorch(stateDict, { groups: 32, prefix: "down_blocks.0.resnets.0.norm1" });
   *
   * @param stateDict an object or a Map of arrays, or of tensors that hold them as `data`
   * @param options how many `groups`, which layer (`prefix`), and what is not in the state dict (`epsilon`, `axis`)
   * @throws TypeError, RangeError if a name is missing or a length does not fit; a prefix that no layer has: which
   *   there are
   */
  static fromPyTorch(stateDict: StateDict, options: PyTorchGroupNormOptions): GroupNorm {
    checkOptions(options, ["groups", "prefix", "epsilon", "axis"]);
    const { groups, ...rest } = options ?? {};
    const { features, ...layer } = pyTorchNorm(stateDict, rest);
    return new GroupNorm(groups, features, layer);
  }
}
