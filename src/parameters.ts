// What layers have per feature: arrays that the caller may change in place, but not transfer away, and gradients.

import { numberIn, perFeature } from "./argument.js";
import type { Gradients } from "./backend.js";

/** @throws TypeError, RangeError if it does not fit, or one is negative */
export function variances(name: string, values: ArrayLike<number>, features: number): number[] {
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
