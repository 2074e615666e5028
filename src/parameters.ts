// What layers have per feature: gamma and beta, which the caller may change in place, but not transfer away.

import { numberIn, perFeature } from "./argument.js";
import type { Gradients } from "./backend.js";

/** @throws TypeError, RangeError if it is given and does not fit; null: the layer has none */
export function parameter(
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
export function variances(name: string, values: ArrayLike<number>, features: number): number[] {
  const list = perFeature(name, values, features);
  for (let j = 0; j < features; j++) {
    numberIn(`${name}[${j}]`, list[j], "a non-negative number", (n) => !(n < 0));
  }
  return list;
}

/** @throws TypeError if the memory of a layer's array was transferred */
export function checkInUse(
  features: number,
  gamma: Float32Array | null,
  beta: Float32Array | null,
  runningMean: Float64Array,
  runningVariance: Float64Array,
): void {
  if (gamma !== null && gamma.length !== features) throw moved("gamma");
  if (beta !== null && beta.length !== features) throw moved("beta");
  if (runningMean.length !== features) throw moved("runningMean");
  if (runningVariance.length !== features) throw moved("runningVariance");
}

function moved(name: string): TypeError {
  return new TypeError(`${name}: expected an array in use, got one whose memory was moved`);
}

export function noGradients(features: number): Gradients {
  return { dGamma: new Float64Array(features), dBeta: new Float64Array(features) };
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
