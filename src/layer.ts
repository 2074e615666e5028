// What layers that normalize features are: a feature axis, epsilon, gamma and beta.

import { checkOptions, numberIn, type Plain, perFeature, positiveInteger } from "./argument.js";
import type { Norm } from "./backend.js";
import { fromJson, type JsonNumber, listFromJson, listToJson } from "./json.js";
import { checkAxis } from "./layout.js";
import { checkInUse } from "./parameters.js";
import { Shown } from "./shown.js";

/** A layer's settings and parameters. */
export interface NormOptions extends Plain {
  /** The feature axis: −1 for tables and NHWC, 1 for NCHW. Default: −1, the last. */
  axis?: number | undefined;
  /** Added to the variance, inside the root. Default: 1e-5. */
  epsilon?: number | undefined;
  /** Scale per feature; null: the layer has none. Default: ones. */
  gamma?: ArrayLike<number> | null | undefined;
  /** Shift per feature; null: the layer has none. Default: zeros. */
  beta?: ArrayLike<number> | null | undefined;
}

/** The names of a layer's options. */
export const NORM = ["axis", "epsilon", "gamma", "beta"];

/** A layer's settings and parameters as JSON. */
export interface NormJSON {
  /** How many features. */
  features: number;
  /** The feature axis. */
  axis: number;
  /** What is added to the variance. */
  epsilon: number;
  /** Scale per feature, or null. */
  gamma: JsonNumber[] | null;
  /** Shift per feature, or null. */
  beta: JsonNumber[] | null;
}

export abstract class Layer extends Shown {
  readonly #features: number;
  readonly #axis: number;
  readonly #norm: Norm;

  /** @throws TypeError, RangeError if something does not fit, or there is another option than those of `known` names */
  constructor(features: number, options: NormOptions, known: readonly string[]) {
    super();
    this.#features = positiveInteger("features", features);
    checkOptions(options, known);
    const { axis = -1, epsilon = 1e-5, gamma, beta } = options;
    this.#axis = checkAxis(axis);
    numberIn("epsilon", epsilon, "a non-negative number", (n) => n >= 0 && n < Number.POSITIVE_INFINITY);
    this.#norm = {
      gamma: parameter("gamma", gamma, features, 1),
      beta: parameter("beta", beta, features, 0),
      epsilon,
    };
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
    const { features, axis, epsilon, gamma, beta } = this;
    return {
      ...{ features, axis, epsilon },
      gamma: gamma && listToJson(gamma),
      beta: beta && listToJson(beta),
    };
  }

  /** The parameters, which are the caller's to change in place, but not to transfer away. */
  protected parameters(): Norm {
    const { gamma, beta } = this.#norm;
    checkInUse("gamma", gamma, this.#features);
    checkInUse("beta", beta, this.#features);
    return this.#norm;
  }
}

/** null: the layer has none. */
function parameter(
  name: string,
  values: ArrayLike<number> | null | undefined,
  features: number,
  initial: number,
): Float32Array<ArrayBuffer> | null {
  if (values === null) return null;
  if (values === undefined) return new Float32Array(features).fill(initial);
  return Float32Array.from(perFeature(name, values, features));
}

/** What a layer's constructor takes of what `toJSON` returned; a field that is missing, or does not fit, is an error. */
export function normFromJson(saved: Record<string, unknown>) {
  const features = positiveInteger("features", saved.features);
  const values = (name: string) => (saved[name] === null ? null : listFromJson(name, saved[name], features));
  return {
    features,
    axis: checkAxis(saved.axis),
    epsilon: fromJson("epsilon", saved.epsilon),
    gamma: values("gamma"),
    beta: values("beta"),
  };
}
