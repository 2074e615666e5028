// Moments by loops, in float64. Sums are shifted by the first value of their feature: then Σd² exceeds m2 at most
// count-fold, which leaves float64 nine digits for a million samples of the worst data.

import type { Statistics } from "../backend.js";
import { type Layout, samples } from "../layout.js";
import { rowsPerBlock } from "./block.js";

/** x → statistics. */
export function moments(x: Float32Array, layout: Layout, into: Statistics): void {
  into.count = samples(layout);
  if (layout.inner === 1) reduceColumns(x, layout, into);
  else reducePlanes(x, layout, into);
}

/** A finite shift, so that an infinity stays an infinity in the mean. */
export function shiftOf(first: number): number {
  return Number.isFinite(first) ? first : 0;
}

/** mean and m2, where s = Σ(x − k) and q = Σ(x − k)² have been summed. */
function settle({ count, mean, m2 }: Statistics, feature: number, k: number): void {
  const s = mean[feature];
  const d = s / count;
  mean[feature] = k + d;
  m2[feature] = Math.max(m2[feature] - s * d, 0);
}

function reduceColumns(x: Float32Array, { outer, features }: Layout, statistics: Statistics): void {
  const sums = statistics.mean.fill(0);
  const squares = statistics.m2.fill(0);
  const block = rowsPerBlock(features);
  for (let row = 0; row < outer; row += block) {
    const from = row * features;
    const to = Math.min(outer, row + block) * features;
    let j = 0;
    for (; j + 3 < features; j += 4) {
      const k0 = shiftOf(x[j]);
      const k1 = shiftOf(x[j + 1]);
      const k2 = shiftOf(x[j + 2]);
      const k3 = shiftOf(x[j + 3]);
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let q0 = 0;
      let q1 = 0;
      let q2 = 0;
      let q3 = 0;
      for (let i = from + j; i < to; i += features) {
        let d = x[i] - k0;
        s0 += d;
        q0 += d * d;
        d = x[i + 1] - k1;
        s1 += d;
        q1 += d * d;
        d = x[i + 2] - k2;
        s2 += d;
        q2 += d * d;
        d = x[i + 3] - k3;
        s3 += d;
        q3 += d * d;
      }
      sums[j] += s0;
      sums[j + 1] += s1;
      sums[j + 2] += s2;
      sums[j + 3] += s3;
      squares[j] += q0;
      squares[j + 1] += q1;
      squares[j + 2] += q2;
      squares[j + 3] += q3;
    }
    for (; j < features; j++) {
      const k = shiftOf(x[j]);
      let s = 0;
      let q = 0;
      for (let i = from + j; i < to; i += features) {
        const d = x[i] - k;
        s += d;
        q += d * d;
      }
      sums[j] += s;
      squares[j] += q;
    }
  }
  for (let j = 0; j < features; j++) settle(statistics, j, shiftOf(x[j]));
}

function reducePlanes(x: Float32Array, { outer, features, inner }: Layout, statistics: Statistics): void {
  const sums = statistics.mean.fill(0);
  const squares = statistics.m2.fill(0);
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      const k = shiftOf(x[j * inner]);
      const end = i + inner;
      const end4 = end - 3;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let q0 = 0;
      let q1 = 0;
      let q2 = 0;
      let q3 = 0;
      for (; i < end4; i += 4) {
        let d = x[i] - k;
        s0 += d;
        q0 += d * d;
        d = x[i + 1] - k;
        s1 += d;
        q1 += d * d;
        d = x[i + 2] - k;
        s2 += d;
        q2 += d * d;
        d = x[i + 3] - k;
        s3 += d;
        q3 += d * d;
      }
      for (; i < end; i++) {
        const d = x[i] - k;
        s0 += d;
        q0 += d * d;
      }
      sums[j] += s0 + s1 + (s2 + s3);
      squares[j] += q0 + q1 + (q2 + q3);
    }
  }
  for (let j = 0; j < features; j++) settle(statistics, j, shiftOf(x[j * inner]));
}
