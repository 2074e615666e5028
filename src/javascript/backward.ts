// Backward by loops: dx = a·dy + b·(x − mean) + c, where s = 1/√(variance + epsilon), a = gamma·s, b = −s·s·gamma·dgamma/n
// and c = −s·gamma·dbeta/n.

import type { Gradients, Norm, Statistics, View } from "../backend.js";
import type { Layout } from "../layout.js";
import { rowsPerBlock } from "./block.js";

interface Slopes {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
}

/** fold; the gradients come times gamma. */
export function slopes(
  { count, m2 }: Statistics,
  { gamma, epsilon }: Norm,
  { dGamma, dBeta }: Gradients,
): Slopes {
  const features = m2.length;
  const a = new Float64Array(features);
  const b = new Float64Array(features);
  const c = new Float64Array(features);
  for (let j = 0; j < features; j++) {
    const s = 1 / Math.sqrt(m2[j] / count + epsilon);
    a[j] = gamma ? gamma[j] * s : s;
    b[j] = (-s * s * dGamma[j]) / count;
    c[j] = (-s * dBeta[j]) / count;
  }
  return { a, b, c };
}

/** apply */
export function backward(
  x: View,
  dy: View,
  dx: View,
  layout: Layout,
  statistics: Statistics,
  slopes: Slopes,
): void {
  if (layout.inner === 1) backwardColumns(x, dy, dx, layout, statistics, slopes);
  else backwardPlanes(x, dy, dx, layout, statistics, slopes);
}

function backwardColumns(
  x: View,
  dy: View,
  dx: View,
  { outer, features }: Layout,
  { mean }: Statistics,
  { a, b, c }: Slopes,
): void {
  const block = rowsPerBlock(features);
  for (let row = 0; row < outer; row += block) {
    const from = row * features;
    const to = Math.min(outer, row + block) * features;
    // Two columns a strip: their eight coefficients are what the registers hold.
    let j = 0;
    for (; j + 1 < features; j += 2) {
      const m0 = mean[j];
      const m1 = mean[j + 1];
      const a0 = a[j];
      const a1 = a[j + 1];
      const b0 = b[j];
      const b1 = b[j + 1];
      const c0 = c[j];
      const c1 = c[j + 1];
      for (let i = from + j; i < to; i += features) {
        dx[i] = a0 * dy[i] + b0 * (x[i] - m0) + c0;
        dx[i + 1] = a1 * dy[i + 1] + b1 * (x[i + 1] - m1) + c1;
      }
    }
    for (; j < features; j++) {
      for (let i = from + j; i < to; i += features) dx[i] = a[j] * dy[i] + b[j] * (x[i] - mean[j]) + c[j];
    }
  }
}

function backwardPlanes(
  x: View,
  dy: View,
  dx: View,
  { outer, features, inner }: Layout,
  { mean }: Statistics,
  { a, b, c }: Slopes,
): void {
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      const m = mean[j];
      const aj = a[j];
      const bj = b[j];
      const cj = c[j];
      const end = i + inner;
      const end2 = end - 1;
      for (; i < end2; i += 2) {
        dx[i] = aj * dy[i] + bj * (x[i] - m) + cj;
        dx[i + 1] = aj * dy[i + 1] + bj * (x[i + 1] - m) + cj;
      }
      for (; i < end; i++) dx[i] = aj * dy[i] + bj * (x[i] - m) + cj;
    }
  }
}
