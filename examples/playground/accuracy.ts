// How exact training is, as the mean of the data grows: the library, and the formula in float32 as frameworks compute
// it, against float64.

import { BatchNorm } from "simdnorm";
import { generator } from "../network.js";

const ROWS = 65_536;
const EPSILON = 1e-5;

/** Worst errors over max(1, |y|) on data with this mean, and deviation 1. */
export interface Accuracy {
  readonly mean: number;
  readonly simdnorm: number;
  /** Σ(x − mean)²/n */
  readonly twoPasses: number;
  /** Σx²/n − mean² */
  readonly onePass: number;
}

export const accuracies = (): Accuracy[] => [0, 1e4, 1e6].map(accuracyAt);

function accuracyAt(mean: number): Accuracy {
  const random = generator(7);
  const x = Float32Array.from({ length: ROWS }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return mean + radius * Math.cos(2 * Math.PI * random());
  });

  const exactMean = sum(x, (value) => value) / ROWS;
  const exactVariance = sum(x, (value) => (value - exactMean) ** 2) / ROWS;
  const exact = (value: number) => (value - exactMean) / Math.sqrt(exactVariance + EPSILON);
  const worst = (result: (i: number) => number) =>
    x.reduce((error, value, i) => {
      const y = exact(value);
      const off = Math.abs(result(i) - y) / Math.max(1, Math.abs(y));
      // NaN, of a variance that came out negative, is off without bound.
      return Math.max(error, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
    }, 0);

  const f = Math.fround;
  const center = f(sum32(x, (value) => value) / ROWS);
  const squares = f(sum32(x, (value) => f(f(value - center) ** 2)) / ROWS);
  const raw = f(f(sum32(x, (value) => f(value * value)) / ROWS) - f(center * center));
  const map = (variance: number) => {
    const scale = f(1 / f(Math.sqrt(f(variance + EPSILON))));
    return (i: number) => f(f(x[i] - center) * scale);
  };

  const y = new BatchNorm(1, { epsilon: EPSILON }).train(x);
  return { mean, simdnorm: worst((i) => y[i]), twoPasses: worst(map(squares)), onePass: worst(map(raw)) };
}

function sum(x: Float32Array, of: (value: number) => number): number {
  return x.reduce((total, value) => total + of(value), 0);
}

/** In float32, in 4 lanes as SIMD does. */
function sum32(x: Float32Array, of: (value: number) => number): number {
  const lanes = new Float32Array(4);
  for (let i = 0; i < x.length; i++) lanes[i % 4] += of(x[i]);
  return lanes.reduce((total, lane) => Math.fround(total + lane), 0);
}
