// Gradients by loops, in float64: with S1 = Σdy, S2 = Σdy·(x − mean) and s = 1/√(variance + epsilon), dbeta = S1 and
// dgamma = s·S2.

import type { Gradients, Norm, Statistics, View } from "../backend.js";
import type { Layout } from "../layout.js";
import { rowsPerBlock } from "./block.js";

export function gradients(
  x: View,
  dy: View,
  layout: Layout,
  statistics: Statistics,
  { epsilon }: Norm,
  into: Gradients,
): void {
  const { dGamma, dBeta } = into;
  const { count, m2 } = statistics;
  dGamma.fill(0);
  dBeta.fill(0);
  if (layout.inner === 1) gradientColumns(x, dy, layout, statistics, into);
  else gradientPlanes(x, dy, layout, statistics, into);
  for (let j = 0; j < dGamma.length; j++) dGamma[j] /= Math.sqrt(m2[j] / count + epsilon);
}

/** dBeta := S1, dGamma := S2. */
function gradientColumns(
  x: View,
  dy: View,
  { outer, features }: Layout,
  { mean }: Statistics,
  { dGamma, dBeta }: Gradients,
): void {
  const block = rowsPerBlock(features);
  for (let row = 0; row < outer; row += block) {
    const from = row * features;
    const to = Math.min(outer, row + block) * features;
    let j = 0;
    for (; j + 3 < features; j += 4) {
      const m0 = mean[j];
      const m1 = mean[j + 1];
      const m2 = mean[j + 2];
      const m3 = mean[j + 3];
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let q0 = 0;
      let q1 = 0;
      let q2 = 0;
      let q3 = 0;
      for (let i = from + j; i < to; i += features) {
        const g0 = dy[i];
        const g1 = dy[i + 1];
        const g2 = dy[i + 2];
        const g3 = dy[i + 3];
        s0 += g0;
        s1 += g1;
        s2 += g2;
        s3 += g3;
        q0 += g0 * (x[i] - m0);
        q1 += g1 * (x[i + 1] - m1);
        q2 += g2 * (x[i + 2] - m2);
        q3 += g3 * (x[i + 3] - m3);
      }
      dBeta[j] += s0;
      dBeta[j + 1] += s1;
      dBeta[j + 2] += s2;
      dBeta[j + 3] += s3;
      dGamma[j] += q0;
      dGamma[j + 1] += q1;
      dGamma[j + 2] += q2;
      dGamma[j + 3] += q3;
    }
    for (; j < features; j++) {
      for (let i = from + j; i < to; i += features) {
        dBeta[j] += dy[i];
        dGamma[j] += dy[i] * (x[i] - mean[j]);
      }
    }
  }
}

function gradientPlanes(
  x: View,
  dy: View,
  { outer, features, inner }: Layout,
  { mean }: Statistics,
  { dGamma, dBeta }: Gradients,
): void {
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      const m = mean[j];
      const end = i + inner;
      const end2 = end - 1;
      let s0 = 0;
      let s1 = 0;
      let q0 = 0;
      let q1 = 0;
      for (; i < end2; i += 2) {
        s0 += dy[i];
        s1 += dy[i + 1];
        q0 += dy[i] * (x[i] - m);
        q1 += dy[i + 1] * (x[i + 1] - m);
      }
      for (; i < end; i++) {
        s0 += dy[i];
        q0 += dy[i] * (x[i] - m);
      }
      dBeta[j] += s0 + s1;
      dGamma[j] += q0 + q1;
    }
  }
}
