// Seeded data, so that a failure is the same failure tomorrow.

import type { Sizes } from "./reference.js";
import { eachValue } from "./reference.js";

/** Uniform in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** N(0, 1): Box and Muller. */
export function normal(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** What the values of one feature look like: called with the sample's number and a N(0, 1) draw. */
export const kinds: Record<string, (sample: number, draw: number, feature: number) => number> = {
  "N(0, 1)": (_, draw) => draw,
  "mean 1e4, std 1": (_, draw) => 1e4 + draw,
  "mean 1e6, std 1": (_, draw) => 1e6 + draw,
  "an outlier first": (sample, draw) => (sample === 0 ? 1e6 : draw),
  sorted: (sample, _, feature) => sample * 0.37 + feature,
  "two values in turn": (sample, _, feature) => (sample % 2 === 0 ? 1.1 + feature : -0.3),
  constant: (_, __, feature) => 1.1 + feature,
  "heavy tails": (_, draw) => Math.exp(3 * draw),
  "both ends of float32": (sample) => (sample % 10 === 0 ? 3.4e38 : -3.4e38),
  "huge, 1e30": (_, draw) => 1e30 * draw,
  "tiny, 1e-30": (_, draw) => 1e-30 * draw,
  "denormal, 1e-41": (_, draw) => 1e-41 * draw,
};

export function make(sizes: Sizes, kind: string, seed = 1): Float32Array {
  const draw = normal(seed);
  const value = kinds[kind];
  const x = new Float32Array(sizes.outer * sizes.features * sizes.inner);
  const seen = new Uint32Array(sizes.features);
  eachValue(sizes, (i, j) => {
    x[i] = value(seen[j]++, draw(), j);
  });
  return x;
}

/** Parameters per feature that no two features share. */
export function parameters(features: number): {
  gamma: Float32Array;
  beta: Float32Array;
  mean: Float64Array;
  variance: Float64Array;
} {
  const draw = normal(features);
  return {
    gamma: Float32Array.from({ length: features }, () => 1 + 0.3 * draw()),
    beta: Float32Array.from({ length: features }, draw),
    mean: Float64Array.from({ length: features }, draw),
    variance: Float64Array.from({ length: features }, () => Math.exp(draw())),
  };
}
