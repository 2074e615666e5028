// How far gradients may be from the exact ones.

import { eachValue, gradients, moments, normalize, type Sizes, u } from "./reference.js";

/**
 * What the sums and the output may be off, by their own conditioning. Σdy and Σdy·x̂ are f32 sums of at most
 * 32 groups between flushes, whose rounding is at most 40u of the sum of magnitudes; x̂ itself has the
 * 10⁻⁶ of training. dx has three terms, each with the error of its factors and five roundings.
 */
export function bounds(x: Float32Array, dy: Float32Array, sizes: Sizes, gamma: Float32Array, epsilon = 1e-5) {
  const n = sizes.outer * sizes.inner;
  const { mean, variance } = moments(x, sizes);
  const normalized = normalize(x, sizes, { mean, variance, epsilon });
  const ofBeta = new Float64Array(sizes.features);
  const ofGamma = new Float64Array(sizes.features);
  eachValue(sizes, (i, j) => {
    ofBeta[j] += 40 * u * Math.abs(dy[i]);
    ofGamma[j] += 40 * u * Math.abs(dy[i]) * (Math.abs(normalized[i]) + 1);
  });
  const exact = gradients(x, dy, sizes, { gamma, epsilon });
  const ofX = new Float64Array(x.length);
  eachValue(sizes, (i, j) => {
    const scale = Math.abs(gamma[j]) / Math.sqrt(variance[j] + epsilon);
    const h = Math.abs(normalized[i]);
    const terms = Math.abs(dy[i]) + Math.abs(exact.dBeta[j] / n) + (h * Math.abs(exact.dGamma[j])) / n;
    ofX[i] = scale * (16 * u * terms + ofBeta[j] / n + (h * ofGamma[j]) / n);
  });
  return { exact, ofX, ofGamma, ofBeta };
}
