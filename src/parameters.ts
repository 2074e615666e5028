// What layers have per feature: gamma and beta, which the caller may change in place, but not transfer away.

import { numberIn, type Plain, perFeature, positiveInteger, wrongValue } from "./argument.js";
import type { Gradients, Norm, Values } from "./backend.js";
import { fromJson, type JsonNumber, listFromJson, listToJson } from "./json.js";

/** What a layer has per feature. */
export interface ParameterOptions extends Plain {
  /** Added inside the root, to the variance; to the mean square where there is no mean. Default: 1e-5. */
  epsilon?: number | undefined;
  /** Scale per feature; null: the layer has none. Default: ones. */
  gamma?: ArrayLike<number> | null | undefined;
  /** Shift per feature; null: the layer has none. Default: zeros. */
  beta?: ArrayLike<number> | null | undefined;
}

/** The same, and on which axis features are. */
export interface NormOptions extends ParameterOptions {
  /** The feature axis: −1 for tables and NHWC, 1 for NCHW. Default: −1, the last. */
  axis?: number | undefined;
}

/** What a layer has per feature, as JSON. */
export interface ParametersJSON {
  /** How many features. */
  features: number;
  /** What is added inside the root. */
  epsilon: number;
  /** Scale per feature, or null. */
  gamma: JsonNumber[] | null;
  /** Shift per feature, or null. */
  beta: JsonNumber[] | null;
}

/** The same, and on which axis features are. */
export interface NormJSON extends ParametersJSON {
  /** The feature axis. */
  axis: number;
}

/** @throws TypeError, RangeError if something is given and does not fit */
export function normOf(
  features: number,
  gamma: NormOptions["gamma"],
  beta: NormOptions["beta"],
  epsilon = 1e-5,
): Norm {
  return {
    gamma: parameter("gamma", gamma, features, 1),
    beta: parameter("beta", beta, features, 0),
    epsilon: numberIn(
      "epsilon",
      epsilon,
      "a non-negative number",
      (n) => n >= 0 && n < Number.POSITIVE_INFINITY,
    ),
  };
}

export function normToJson(features: number, { epsilon, gamma, beta }: Norm): ParametersJSON {
  return {
    ...{ features, epsilon },
    gamma: gamma && listToJson(gamma),
    beta: beta && listToJson(beta),
  };
}

/** @throws TypeError, RangeError if a field is missing or does not fit */
export function normFromJson(saved: Record<string, unknown>) {
  const features = positiveInteger("features", saved.features);
  const values = (name: string) => (saved[name] === null ? null : listFromJson(name, saved[name], features));
  return {
    features,
    epsilon: fromJson("epsilon", saved.epsilon),
    gamma: values("gamma"),
    beta: values("beta"),
  };
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

/** @throws TypeError, RangeError if it does not fit, or one is negative */
export function variances(name: string, values: unknown, features: number): number[] {
  const list = perFeature(name, values, features);
  for (let j = 0; j < features; j++) {
    numberIn(`${name}[${j}]`, list[j], "a non-negative number", (n) => !(n < 0));
  }
  return list;
}

/** @throws TypeError if the memory of a layer's array was transferred; null: the layer has none */
export function checkInUse(name: string, values: Float32Array | Float64Array | null, features: number): void {
  if (values === null || values.length === features) return;
  throw new TypeError(`${name}: expected an array in use, got one whose memory was moved`);
}

/** @throws RangeError if memory for a result is an array of the layer, which is read after it has been written */
export function checkNotOwn(
  name: string,
  output: Values | undefined,
  own: Readonly<Record<string, Float32Array | Float64Array | null>>,
): void {
  // Of a block, a tensor's memory, no layer has an array.
  if (!ArrayBuffer.isView(output)) return;
  for (const [field, values] of Object.entries(own)) {
    if (values?.buffer !== output.buffer) continue;
    throw wrongValue(name, "memory apart from the layer's own arrays", field);
  }
}

export function noGradients(features: number): Gradients {
  return { dGamma: new Float64Array(features), dBeta: new Float64Array(features) };
}

/** The gradients of the loss. */
export interface BackwardResult<Kind> {
  /** With respect to what was normalized: as long as x, and of its kind. */
  dx: Kind;
  /** With respect to gamma, per feature; null where the layer has none. */
  dGamma: Float32Array<ArrayBuffer> | null;
  /** With respect to beta, per feature; null where the layer has none. */
  dBeta: Float32Array<ArrayBuffer> | null;
}

/** The gradients of what a layer has. */
export function resultOf<Kind>(
  dx: Kind,
  { gamma, beta }: Norm,
  { dGamma, dBeta }: Gradients,
): BackwardResult<Kind> {
  return {
    dx,
    dGamma: gamma && new Float32Array(dGamma),
    dBeta: beta && new Float32Array(dBeta),
  };
}

/** Gradients times gamma, as `slope` takes them. */
export function weighted({ dGamma, dBeta }: Gradients, gamma: Float32Array | null): Gradients {
  if (gamma === null) return { dGamma, dBeta };
  const product = noGradients(gamma.length);
  for (let j = 0; j < gamma.length; j++) {
    product.dGamma[j] = gamma[j] * dGamma[j];
    product.dBeta[j] = gamma[j] * dBeta[j];
  }
  return product;
}
