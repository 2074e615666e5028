// Extrema by loops. Comparisons are false for NaN, which is thereby ignored; only a NaN, or infinities of both signs,
// make a sum NaN.

import type { Bounds, View } from "../backend.js";
import type { Layout } from "../layout.js";
import { rowsPerBlock } from "./block.js";

/** x → bounds. Returns false only if there is no NaN in x. */
export function extrema(x: View, layout: Layout, { min, max }: Bounds): boolean {
  min.fill(Number.POSITIVE_INFINITY);
  max.fill(Number.NEGATIVE_INFINITY);
  const sum = layout.inner === 1 ? columns(x, layout, { min, max }) : planes(x, layout, { min, max });
  // −0 becomes 0, which equals it: the same number in whatever order they are met.
  for (let j = 0; j < min.length; j++) {
    min[j] += 0;
    max[j] += 0;
  }
  return Number.isNaN(sum);
}

function columns(x: View, { outer, features }: Layout, { min, max }: Bounds): number {
  const block = rowsPerBlock(features);
  let sum = 0;
  for (let row = 0; row < outer; row += block) {
    const from = row * features;
    const to = Math.min(outer, row + block) * features;
    let j = 0;
    for (; j + 1 < features; j += 2) {
      let a0 = min[j];
      let a1 = min[j + 1];
      let b0 = max[j];
      let b1 = max[j + 1];
      for (let i = from + j; i < to; i += features) {
        const v0 = x[i];
        const v1 = x[i + 1];
        if (v0 < a0) a0 = v0;
        if (v0 > b0) b0 = v0;
        if (v1 < a1) a1 = v1;
        if (v1 > b1) b1 = v1;
        sum += v0 + v1;
      }
      min[j] = a0;
      min[j + 1] = a1;
      max[j] = b0;
      max[j + 1] = b1;
    }
    if (j < features) {
      for (let i = from + j; i < to; i += features) {
        if (x[i] < min[j]) min[j] = x[i];
        if (x[i] > max[j]) max[j] = x[i];
        sum += x[i];
      }
    }
  }
  return sum;
}

function planes(x: View, { outer, features, inner }: Layout, { min, max }: Bounds): number {
  let sum = 0;
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      let a = min[j];
      let b = max[j];
      for (const end = i + inner; i < end; i++) {
        const v = x[i];
        if (v < a) a = v;
        if (v > b) b = v;
        sum += v;
      }
      min[j] = a;
      max[j] = b;
    }
  }
  return sum;
}
