// What layers that normalize features are: a feature axis, epsilon, gamma and beta.

import { checkOptions, positiveInteger } from "./argument.js";
import type { Norm } from "./backend.js";
import { checkAxis } from "./layout.js";
import {
  checkInUse,
  type NormJSON,
  type NormOptions,
  normFromJson,
  normOf,
  normToJson,
} from "./parameters.js";
import { Shown } from "./shown.js";

/** The names of a layer's options. */
export const NORM = ["axis", "epsilon", "gamma", "beta"];

export abstract class Layer extends Shown {
  readonly #features: number;
  readonly #axis: number;
  readonly #norm: Norm;

  /** @throws TypeError, RangeError if something does not fit, or there is another option than those of `known` names */
  constructor(features: number, options: NormOptions, known: readonly string[]) {
    super();
    this.#features = positiveInteger("features", features);
    checkOptions(options, known);
    const { axis = -1, epsilon, gamma, beta } = options;
    this.#axis = checkAxis(axis);
    this.#norm = normOf(features, gamma, beta, epsilon);
  }

  /** How many features. */
  get features(): number {
    return this.#features;
  }

  /** The feature axis, as the constructor was given it. */
  get axis(): number {
    return this.#axis;
  }

  /** What is added to the variance, inside the root. */
  get epsilon(): number {
    return this.#norm.epsilon;
  }

  /** Scale per feature, or null. May be changed in place between calls. */
  get gamma(): Float32Array<ArrayBuffer> | null {
    return this.#norm.gamma;
  }

  /** Shift per feature, or null. May be changed in place between calls. */
  get beta(): Float32Array<ArrayBuffer> | null {
    return this.#norm.beta;
  }

  /** The whole layer, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  toJSON(): NormJSON {
    return { ...normToJson(this.#features, this.parameters()), axis: this.#axis };
  }

  /** The parameters, which are the caller's to change in place, but not to transfer away. */
  protected parameters(): Norm {
    checkInUse("gamma", this.#norm.gamma, this.#features);
    checkInUse("beta", this.#norm.beta, this.#features);
    return this.#norm;
  }
}

/** What a layer's constructor takes of what `toJSON` returned; a field that is missing, or does not fit, is an error. */
export function layerFromJson(saved: Record<string, unknown>) {
  return { ...normFromJson(saved), axis: checkAxis(saved.axis) };
}
