// Extrema of features, and ranges that they are mapped to: lines of every kind, and features that have none.

import { normal, uniform } from "./data.js";

export const FEATURES = 400;

export const RANGES = [
  [0, 1],
  [-1, 1],
  [0, 255],
  [-3, 7],
  [-7, 3],
  [0.1, 0.7],
  [-1, 1e-9],
  [1e-40, 1],
  [-3e38, 3e38],
] as const;

const random = uniform(3);
const draw = normal(4);
export const DATA: Record<string, () => number> = {
  "N(0, 1)": draw,
  "mean 1e4": () => 1e4 + draw(),
  magnitudes: () => draw() * 10 ** (20 * random() - 10),
  integers: () => Math.round(1000 * random()),
  huge: () => 6e38 * (random() - 0.5),
  tiny: () => 1e-40 * random(),
};

/** Every seventh feature is a constant, or has no value. */
export function bounds(value: () => number, single: boolean) {
  const min = new Float64Array(FEATURES);
  const max = new Float64Array(FEATURES);
  for (let j = 0; j < FEATURES; j++) {
    const [a, b] = [value(), value()].map((v) => (single ? Math.fround(v) : v));
    min[j] = j % 14 === 13 ? Number.NaN : Math.min(a, b);
    max[j] = j % 14 === 13 ? Number.NaN : j % 14 === 6 ? min[j] : Math.max(a, b);
  }
  return { min, max };
}
