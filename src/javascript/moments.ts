// Moments by loops, in float64: sums about a shift near the mean, merged by Chan's formula every ROUND values. The
// first shift is the mean of 16 values: if one of them is far from all else, Σd² is at most 1 + ROUND/256 = 3 times m2,
// later at most twice. So the variance is within 3·(5·ROUND + 30)·2⁻⁵³ < 9·10⁻¹³ of itself (see assembly/exact.ts), to
// which a merge adds at most 2⁻⁵³.

import type { Statistics, View } from "../backend.js";
import { type Layout, samples } from "../layout.js";
import { rowsPerBlock } from "./block.js";

/** Values of a feature between two merges. */
export const ROUND = 512;

// Of the running call, kept because their allocation would double the time of small batches. Until the end the mean is
// counted from a base, because the mean of timestamps is rounded to parts of a millisecond and that of what is left is not.
let bases = /* @__PURE__ */ new Float64Array();
let shifts = /* @__PURE__ */ new Float64Array();
let sums = /* @__PURE__ */ new Float64Array();
let squares = /* @__PURE__ */ new Float64Array();

/** x → statistics. */
export function moments(x: View, layout: Layout, into: Statistics): void {
  into.count = samples(layout);
  into.m2.fill(0);
  if (layout.inner === 1 && layout.outer <= 16) few(x, layout, into);
  else if (layout.inner === 1) columns(x, layout, into);
  else planes(x, layout, into);
}

/** A finite shift, so that an infinity stays an infinity in the mean. */
export function shiftOf(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** The mean of 16 of `n` values that are `stride` apart, about the first of them, so that equal values give theirs. */
function seed(x: View, first: number, n: number, stride: number): number {
  const k = shiftOf(x[first]);
  const step = stride * Math.max(1, Math.floor(n / 16));
  const few = Math.min(n, 16);
  let s = 0;
  for (let i = 0, at = first; i < few; i++, at += step) s += x[at] - k;
  return shiftOf(k + s / few);
}

/** s = Σ(x − k) and q = Σ(x − k)² of `n` values join the moments of `count`; k and the mean count from one base. */
export function merge(
  { mean, m2 }: { readonly mean: Float64Array; readonly m2: Float64Array },
  j: number,
  count: number,
  n: number,
  k: number,
  s: number,
  q: number,
): void {
  const d = s / n;
  const within = Math.max(q - s * d, 0);
  if (count === 0) {
    mean[j] = k + d;
    m2[j] = within;
    return;
  }
  const e = k + d - mean[j];
  const weight = n / (count + n);
  // An infinite mean stays infinite: ∞ − ∞ would lose it.
  mean[j] = Number.isFinite(e) ? mean[j] + e * weight : mean[j] * (1 - weight) + (k + d) * weight;
  m2[j] += within + e * e * count * weight;
}

/** Few rows, feature by feature: small calls are not worth arrays. */
function few(x: View, { outer, features }: Layout, into: Statistics): void {
  for (let j = 0; j < features; j++) {
    const k = seed(x, j, outer, features);
    let s = 0;
    let q = 0;
    for (let i = j; i < outer * features; i += features) {
      const d = x[i] - k;
      s += d;
      q += d * d;
    }
    merge(into, j, 0, outer, 0, s, q);
    into.mean[j] += k;
  }
}

function columns(x: View, { outer, features }: Layout, into: Statistics): void {
  if (sums.length < features || bases.length < features) {
    bases = new Float64Array(features);
    shifts = new Float64Array(features);
    sums = new Float64Array(features);
    squares = new Float64Array(features);
  }
  for (let j = 0; j < features; j++) {
    bases[j] = seed(x, j, outer, features);
    shifts[j] = bases[j];
  }
  const block = rowsPerBlock(features);
  for (let done = 0; done < outer; done += ROUND) {
    const end = Math.min(outer, done + ROUND);
    for (let j = 0; j < features; j++) {
      sums[j] = 0;
      squares[j] = 0;
    }
    for (let row = done; row < end; row += block) {
      addRows(x, row * features, Math.min(end, row + block) * features, features);
    }
    for (let j = 0; j < features; j++) {
      merge(into, j, done, end - done, shifts[j] - bases[j], sums[j], squares[j]);
      shifts[j] = shiftOf(bases[j] + into.mean[j]);
    }
  }
  for (let j = 0; j < features; j++) into.mean[j] += bases[j];
}

/** The values from … to, whole rows, join the sums, 4 columns at a time. */
function addRows(x: View, from: number, to: number, features: number): void {
  let j = 0;
  for (; j + 3 < features; j += 4) {
    const k0 = shifts[j];
    const k1 = shifts[j + 1];
    const k2 = shifts[j + 2];
    const k3 = shifts[j + 3];
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
    const k = shifts[j];
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

function planes(x: View, { outer, features, inner }: Layout, into: Statistics): void {
  if (bases.length < features) bases = new Float64Array(features);
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      let count = image * inner;
      if (count === 0) bases[j] = seed(x, i, inner, 1);
      let k = count === 0 ? bases[j] : shiftOf(bases[j] + into.mean[j]);
      for (const last = i + inner; i < last; ) {
        const n = Math.min(ROUND, last - i);
        const end = i + n;
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
        merge(into, j, count, n, k - bases[j], s0 + s1 + (s2 + s3), q0 + q1 + (q2 + q3));
        count += n;
        k = shiftOf(bases[j] + into.mean[j]);
      }
    }
  }
  for (let j = 0; j < features; j++) into.mean[j] += bases[j];
}
