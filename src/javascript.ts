// The JavaScript backend: the same three steps as loops over the user's own arrays, in float64. It runs
// where WebAssembly cannot, and is the baseline of the bench: the fastest loops found for V8.
//
// Strips of 4 columns keep their sums and coefficients in registers (0.79 ns per element, against 2.2
// row by row); rows are blocked so that the next strip finds them in cache. Locals stay float64:
// Math.fround would round the same and cost 2.5 times as much.

import type { After, Backend, Coefficients, Extremes, Gradients, Norm, Statistics } from "./backend.js";
import { type Layout, samples } from "./layout.js";

/** Values per block of rows: what stays in the nearest cache while its strips are walked. */
const BLOCK = 8192;

export const javascript: Backend = {
  name: "javascript",

  allocate(length) {
    const data = new Float32Array(length);
    return { view: () => data, free() {} };
  },

  reduce(x, layout, statistics) {
    statistics.count = samples(layout);
    if (layout.inner === 1) reduceColumns(x, layout, statistics);
    else reducePlanes(x, layout, statistics);
  },

  extrema(x, layout, extrema) {
    if (layout.inner === 1) extremaColumns(x, layout, extrema);
    else extremaPlanes(x, layout, extrema);
  },

  normalize(x, y, layout, statistics, norm, after) {
    apply(x, y, layout, fold(statistics, norm), after);
  },

  train(x, y, layout, statistics, norm, after) {
    this.reduce(x, layout, statistics);
    this.normalize(x, y, layout, statistics, norm, after);
  },

  backward(x, dy, dx, layout, statistics, norm, gradients) {
    if (layout.inner === 1) gradientColumns(x, dy, layout, statistics, gradients);
    else gradientPlanes(x, dy, layout, statistics, gradients);
    const slopes = foldGradients(statistics, norm, gradients);
    if (layout.inner === 1) backwardColumns(x, dy, dx, layout, statistics, slopes);
    else backwardPlanes(x, dy, dx, layout, statistics, slopes);
  },

  table(coefficients) {
    return {
      apply: (x, y, layout, after) => apply(x, y, layout, coefficients, after),
      free() {},
    };
  },
};

// ------------------------------------------------------------------------------------ reduce
// Sums are shifted by the first value of their feature: then Σd² exceeds m2 at most count-fold, which
// leaves float64 nine digits for a million samples of the worst data.

/** A finite shift, so that an infinity stays an infinity in the mean. */
function shiftOf(first: number): number {
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
  const block = Math.max(8, Math.floor(BLOCK / features));
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

// ----------------------------------------------------------------------------------- extrema
// Comparisons are false for NaN, which is thereby ignored.

function extremaColumns(x: Float32Array, { outer, features }: Layout, { min, max }: Extremes): void {
  const block = Math.max(8, Math.floor(BLOCK / features));
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
      }
    }
  }
}

function extremaPlanes(x: Float32Array, { outer, features, inner }: Layout, { min, max }: Extremes): void {
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      let a = min[j];
      let b = max[j];
      for (const end = i + inner; i < end; i++) {
        const v = x[i];
        if (v < a) a = v;
        if (v > b) b = v;
      }
      min[j] = a;
      max[j] = b;
    }
  }
}

// -------------------------------------------------------------------------------------- fold

/** Coefficients of one call, kept because their allocation would double the time of small batches. */
let scale = new Float64Array();
let shift = new Float64Array();

function fold({ count, mean, m2 }: Statistics, { gamma, beta, epsilon }: Norm): Coefficients {
  const features = mean.length;
  if (scale.length < features) {
    scale = new Float64Array(features);
    shift = new Float64Array(features);
  }
  for (let j = 0; j < features; j++) {
    scale[j] = (gamma ? gamma[j] : 1) / Math.sqrt(m2[j] / count + epsilon);
    shift[j] = beta ? beta[j] : 0;
  }
  return { center: mean, scale, shift };
}

// ------------------------------------------------------------------------------------- apply

function apply(
  x: Float32Array,
  y: Float32Array,
  layout: Layout,
  coefficients: Coefficients,
  { residual, low, high }: After,
): void {
  if (residual) applyAdded(x, y, layout, coefficients, residual);
  else if (layout.inner === 1) applyColumns(x, y, layout, coefficients);
  else applyPlanes(x, y, layout, coefficients);
  if (low > Number.NEGATIVE_INFINITY || high < Number.POSITIVE_INFINITY) clamp(y, low, high);
}

function clamp(y: Float32Array, low: number, high: number): void {
  for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.max(y[i], low), high);
}

/** In memory order: the residual is a third stream, and memory decides the speed. */
function applyAdded(
  x: Float32Array,
  y: Float32Array,
  { outer, features, inner }: Layout,
  { center, scale, shift }: Coefficients,
  residual: Float32Array,
): void {
  let i = 0;
  for (let row = 0; row < outer; row++) {
    for (let j = 0; j < features; j++) {
      const c = center[j];
      const a = scale[j];
      const b = shift[j];
      for (const end = i + inner; i < end; i++) y[i] = (x[i] - c) * a + b + residual[i];
    }
  }
}

function applyColumns(
  x: Float32Array,
  y: Float32Array,
  { outer, features }: Layout,
  { center, scale, shift }: Coefficients,
): void {
  const block = Math.max(8, Math.floor(BLOCK / features));
  for (let row = 0; row < outer; row += block) {
    const from = row * features;
    const to = Math.min(outer, row + block) * features;
    let j = 0;
    for (; j + 3 < features; j += 4) {
      const c0 = center[j];
      const c1 = center[j + 1];
      const c2 = center[j + 2];
      const c3 = center[j + 3];
      const a0 = scale[j];
      const a1 = scale[j + 1];
      const a2 = scale[j + 2];
      const a3 = scale[j + 3];
      const b0 = shift[j];
      const b1 = shift[j + 1];
      const b2 = shift[j + 2];
      const b3 = shift[j + 3];
      for (let i = from + j; i < to; i += features) {
        y[i] = (x[i] - c0) * a0 + b0;
        y[i + 1] = (x[i + 1] - c1) * a1 + b1;
        y[i + 2] = (x[i + 2] - c2) * a2 + b2;
        y[i + 3] = (x[i + 3] - c3) * a3 + b3;
      }
    }
    for (; j < features; j++) {
      const c = center[j];
      const a = scale[j];
      const b = shift[j];
      for (let i = from + j; i < to; i += features) y[i] = (x[i] - c) * a + b;
    }
  }
}

function applyPlanes(
  x: Float32Array,
  y: Float32Array,
  { outer, features, inner }: Layout,
  { center, scale, shift }: Coefficients,
): void {
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      const c = center[j];
      const a = scale[j];
      const b = shift[j];
      const end = i + inner;
      const end4 = end - 3;
      for (; i < end4; i += 4) {
        y[i] = (x[i] - c) * a + b;
        y[i + 1] = (x[i + 1] - c) * a + b;
        y[i + 2] = (x[i + 2] - c) * a + b;
        y[i + 3] = (x[i + 3] - c) * a + b;
      }
      for (; i < end; i++) y[i] = (x[i] - c) * a + b;
    }
  }
}

// ---------------------------------------------------------------------------------- backward
// With S1 = Σdy, S2 = Σdy·(x − mean), s = 1/√(variance + epsilon): dbeta = S1, dgamma = s·S2 and
// dx = a·dy + b·(x − mean) + c, a = gamma·s, b = −a·s·dgamma/n, c = −a·S1/n.

interface Slopes {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
}

/** dBeta := S1, dGamma := S2. */
function gradientColumns(
  x: Float32Array,
  dy: Float32Array,
  { outer, features }: Layout,
  { mean }: Statistics,
  { dGamma, dBeta }: Gradients,
): void {
  const block = Math.max(8, Math.floor(BLOCK / features));
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
  x: Float32Array,
  dy: Float32Array,
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

/** S2 in dGamma becomes dgamma. */
function foldGradients(
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
    dGamma[j] *= s;
    a[j] = gamma ? gamma[j] * s : s;
    b[j] = (-a[j] * s * dGamma[j]) / count;
    c[j] = (-a[j] * dBeta[j]) / count;
  }
  return { a, b, c };
}

function backwardColumns(
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  { outer, features }: Layout,
  { mean }: Statistics,
  { a, b, c }: Slopes,
): void {
  const block = Math.max(8, Math.floor(BLOCK / features));
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
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
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
