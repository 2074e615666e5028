// Fold and apply by loops, in float64, rounded once.

import type { After, Coefficients, Norm, Statistics, View } from "../backend.js";
import type { Layout } from "../layout.js";
import { rowsPerBlock } from "./block.js";

/** Coefficients of one call, kept because their allocation would double the time of small batches. */
let scale = /* @__PURE__ */ new Float64Array();
let shift = /* @__PURE__ */ new Float64Array();

export function fold({ count, mean, m2 }: Statistics, { gamma, beta, epsilon }: Norm): Coefficients {
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

export function apply(
  x: View,
  y: View,
  layout: Layout,
  coefficients: Coefficients,
  residual: View | null,
  { low, high }: After,
): void {
  if (residual) applyAdded(x, y, layout, coefficients, residual);
  else if (layout.inner === 1) applyColumns(x, y, layout, coefficients);
  else applyPlanes(x, y, layout, coefficients);
  if (low > Number.NEGATIVE_INFINITY || high < Number.POSITIVE_INFINITY) clamp(y, low, high);
}

function clamp(y: View, low: number, high: number): void {
  for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.max(y[i], low), high);
}

/** In memory order: the residual is a third stream, and memory decides the speed. */
function applyAdded(
  x: View,
  y: View,
  { outer, features, inner }: Layout,
  { center, scale, shift }: Coefficients,
  residual: View,
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
  x: View,
  y: View,
  { outer, features }: Layout,
  { center, scale, shift }: Coefficients,
): void {
  const block = rowsPerBlock(features);
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
  x: View,
  y: View,
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
