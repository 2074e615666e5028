// Batch normalization in float64, written to be read. It judges everything else.

export interface Sizes {
  outer: number;
  features: number;
  inner: number;
}

/** The unit roundoff of float32: rounding v costs at most u·|v|. */
export const u = 2 ** -24;

/** Calls back with (index, feature) for every value of row-major outer × features × inner data. */
export function eachValue({ outer, features, inner }: Sizes, visit: (i: number, j: number) => void): void {
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < features; j++) {
      for (let p = 0; p < inner; p++) visit(i++, j);
    }
  }
}

/** Two passes, the mean corrected once: good to a few units of 2⁻⁵³ of the largest value. */
export function moments(x: ArrayLike<number>, sizes: Sizes): { mean: Float64Array; variance: Float64Array } {
  const n = sizes.outer * sizes.inner;
  const mean = new Float64Array(sizes.features);
  const rest = new Float64Array(sizes.features);
  const variance = new Float64Array(sizes.features);
  eachValue(sizes, (i, j) => {
    mean[j] += x[i] / n;
  });
  eachValue(sizes, (i, j) => {
    rest[j] += (x[i] - mean[j]) / n;
  });
  for (let j = 0; j < sizes.features; j++) mean[j] += rest[j];
  eachValue(sizes, (i, j) => {
    variance[j] += (x[i] - mean[j]) ** 2 / n;
  });
  return { mean, variance };
}

export interface Parameters {
  mean: ArrayLike<number>;
  variance: ArrayLike<number>;
  gamma?: ArrayLike<number> | null;
  beta?: ArrayLike<number> | null;
  epsilon?: number;
}

/** y = (x − mean) / √(variance + epsilon) · gamma + beta */
export function normalize(x: ArrayLike<number>, sizes: Sizes, parameters: Parameters): Float64Array {
  const { mean, variance, gamma, beta, epsilon = 1e-5 } = parameters;
  const y = new Float64Array(x.length);
  eachValue(sizes, (i, j) => {
    y[i] = ((x[i] - mean[j]) / Math.sqrt(variance[j] + epsilon)) * (gamma?.[j] ?? 1) + (beta?.[j] ?? 0);
  });
  return y;
}

/** The gradients of normalize by the batch's own statistics, for the loss Σ dy·y. */
export function gradients(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  sizes: Sizes,
  { gamma, epsilon = 1e-5 }: Pick<Parameters, "gamma" | "epsilon">,
): { dx: Float64Array; dGamma: Float64Array; dBeta: Float64Array } {
  const n = sizes.outer * sizes.inner;
  const { mean, variance } = moments(x, sizes);
  const normalized = normalize(x, sizes, { mean, variance, epsilon });
  const dGamma = new Float64Array(sizes.features);
  const dBeta = new Float64Array(sizes.features);
  eachValue(sizes, (i, j) => {
    dGamma[j] += dy[i] * normalized[i];
    dBeta[j] += dy[i];
  });
  const dx = new Float64Array(x.length);
  eachValue(sizes, (i, j) => {
    const scale = (gamma?.[j] ?? 1) / Math.sqrt(variance[j] + epsilon);
    dx[i] = scale * (dy[i] - dBeta[j] / n - (normalized[i] * dGamma[j]) / n);
  });
  return { dx, dGamma, dBeta };
}

/** Rows of features, each with statistics of its own, gamma and beta per feature. */
export interface RowNorm {
  gamma: ArrayLike<number>;
  beta: ArrayLike<number>;
  epsilon: number;
}

/** x̂ of LayerNorm: (x − mean) / √(variance + epsilon), mean and variance of the row. */
export function layerHat(x: ArrayLike<number>, rows: number, features: number, epsilon: number) {
  const sizes = { outer: 1, features: rows, inner: features };
  return normalize(x, sizes, { ...moments(x, sizes), epsilon });
}

/** x̂ of RMSNorm: x / √(mean(x²) + epsilon), the mean that of the row. */
export function rootHat(x: ArrayLike<number>, rows: number, features: number, epsilon: number) {
  const sizes = { outer: 1, features: rows, inner: features };
  const square = new Float64Array(rows);
  eachValue(sizes, (i, row) => {
    square[row] += x[i] ** 2 / features;
  });
  const hat = new Float64Array(x.length);
  eachValue(sizes, (i, row) => {
    hat[i] = x[i] / Math.sqrt(square[row] + epsilon);
  });
  return hat;
}

/** y = x̂ · gamma + beta */
export function layerNorm(x: ArrayLike<number>, rows: number, features: number, norm: RowNorm) {
  const hat = layerHat(x, rows, features, norm.epsilon);
  return hat.map((h, i) => h * norm.gamma[i % features] + norm.beta[i % features]);
}

/** y = x̂ · gamma */
export function rmsNorm(x: ArrayLike<number>, rows: number, features: number, norm: RowNorm) {
  const hat = rootHat(x, rows, features, norm.epsilon);
  return hat.map((h, i) => h * norm.gamma[i % features]);
}

/**
 * The gradients of layerNorm (`centered`) or rmsNorm for the loss Σ dy·y. With u = dy·gamma they are
 * dx = (u − mean(u) − x̂·mean(u·x̂))·scale, the means over the row, mean(u) only if centered. Also x̂ and the scales.
 */
export function rowGradients(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  rows: number,
  features: number,
  { gamma, epsilon }: Pick<RowNorm, "gamma" | "epsilon">,
  centered: boolean,
) {
  const sizes = { outer: 1, features: rows, inner: features };
  const hat = (centered ? layerHat : rootHat)(x, rows, features, epsilon);
  const dGamma = new Float64Array(features);
  const dBeta = new Float64Array(features);
  const mean = new Float64Array(rows);
  const meanHat = new Float64Array(rows);
  const scale = new Float64Array(rows);
  const center = centered ? moments(x, sizes).mean : new Float64Array(rows);
  eachValue(sizes, (i, row) => {
    const u = dy[i] * gamma[i % features];
    if (centered) mean[row] += u / features;
    meanHat[row] += (u * hat[i]) / features;
    scale[row] += (x[i] - center[row]) ** 2 / features;
    dGamma[i % features] += dy[i] * hat[i];
    dBeta[i % features] += dy[i];
  });
  for (let row = 0; row < rows; row++) scale[row] = 1 / Math.sqrt(scale[row] + epsilon);
  const dx = new Float64Array(x.length);
  eachValue(sizes, (i, row) => {
    dx[i] = scale[row] * (dy[i] * gamma[i % features] - mean[row] - hat[i] * meanHat[row]);
  });
  return { dx, dGamma, dBeta, hat, scale };
}

/** Images of rows of features of `inner` values; features that stand together are a group. */
export interface GroupSizes {
  images: number;
  rows: number;
  features: number;
  inner: number;
  groups: number;
}

/** Calls back with (index, feature, group) for every value; every image has groups of its own. */
export function eachOfGroups(sizes: GroupSizes, visit: (i: number, j: number, group: number) => void): void {
  const { images, rows, features, inner, groups } = sizes;
  let i = 0;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < features; j++) {
        const group = image * groups + Math.floor((j * groups) / features);
        for (let p = 0; p < inner; p++) visit(i++, j, group);
      }
    }
  }
}

/** x̂ = (x − mean)·scale with scale = 1/√(variance + epsilon), mean and variance those of the group. */
export function groupHat(x: ArrayLike<number>, sizes: GroupSizes, epsilon = 1e-5) {
  const { images, rows, features, inner, groups } = sizes;
  const n = (rows * features * inner) / groups;
  const mean = new Float64Array(images * groups);
  const rest = new Float64Array(images * groups);
  const variance = new Float64Array(images * groups);
  eachOfGroups(sizes, (i, _, group) => {
    mean[group] += x[i] / n;
  });
  eachOfGroups(sizes, (i, _, group) => {
    rest[group] += (x[i] - mean[group]) / n;
  });
  for (let group = 0; group < mean.length; group++) mean[group] += rest[group];
  eachOfGroups(sizes, (i, _, group) => {
    variance[group] += (x[i] - mean[group]) ** 2 / n;
  });
  const scale = variance.map((v) => 1 / Math.sqrt(v + epsilon));
  const hat = new Float64Array(x.length);
  eachOfGroups(sizes, (i, _, group) => {
    hat[i] = (x[i] - mean[group]) * scale[group];
  });
  return { hat, scale };
}

/** The gradients of y = x̂·gamma + beta for the loss Σ dy·y: dx = (u − mean(u) − x̂·mean(u·x̂))·scale, u = dy·gamma. */
export function groupGradients(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  sizes: GroupSizes,
  gamma: ArrayLike<number>,
  epsilon = 1e-5,
) {
  const { images, rows, features, inner, groups } = sizes;
  const n = (rows * features * inner) / groups;
  const { hat, scale } = groupHat(x, sizes, epsilon);
  const dGamma = new Float64Array(features);
  const dBeta = new Float64Array(features);
  const mean = new Float64Array(images * groups);
  const meanHat = new Float64Array(images * groups);
  eachOfGroups(sizes, (i, j, group) => {
    dGamma[j] += dy[i] * hat[i];
    dBeta[j] += dy[i];
    mean[group] += (dy[i] * gamma[j]) / n;
    meanHat[group] += (dy[i] * gamma[j] * hat[i]) / n;
  });
  const dx = new Float64Array(x.length);
  eachOfGroups(sizes, (i, j, group) => {
    dx[i] = (dy[i] * gamma[j] - mean[group] - hat[i] * meanHat[group]) * scale[group];
  });
  return { dx, dGamma, dBeta, hat, scale };
}

/**
 * How far y may be from the exact result: with t = (x − mean)·scale, the five roundings of
 * fl(fl(fl(x − center)·scale) + shift), that of scale and that of shift included, cost at most
 * u·(3|t| + |beta| + |y|) ≤ 5u·(the largest of the three), which is at most 5 ULP of it. The smallest
 * float32 is added for results that underflow.
 */
export function inferenceBound(exact: number, beta: number): number {
  return 5 * u * Math.max(Math.abs(exact - beta), Math.abs(beta), Math.abs(exact)) + 2 ** -149;
}

/** The worst of |y − exact| in units of the bound: at most 1 passes. NaN and infinities must be equal. */
export function worst(
  y: ArrayLike<number>,
  exact: ArrayLike<number>,
  bound: (exact: number, i: number) => number,
): { ratio: number; at: number } {
  if (y.length !== exact.length) throw new Error(`expected ${exact.length} values, got ${y.length}`);
  let ratio = 0;
  let at = -1;
  for (let i = 0; i < exact.length; i++) {
    if (Object.is(y[i], exact[i]) || y[i] === exact[i]) continue;
    const here = Math.abs(y[i] - exact[i]) / bound(exact[i], i);
    if (!(here <= ratio)) {
      ratio = Number.isNaN(here) ? Number.POSITIVE_INFINITY : here;
      at = i;
      if (ratio === Number.POSITIVE_INFINITY) break;
    }
  }
  return { ratio, at };
}

/** Minimum and maximum per feature, NaN ignored; NaN where there is nothing else. */
export function extrema(x: ArrayLike<number>, sizes: Sizes): { min: Float64Array; max: Float64Array } {
  const min = new Float64Array(sizes.features).fill(Number.NaN);
  const max = new Float64Array(sizes.features).fill(Number.NaN);
  eachValue(sizes, (i, j) => {
    if (Number.isNaN(x[i])) return;
    if (!(min[j] <= x[i])) min[j] = x[i] + 0;
    if (!(max[j] >= x[i])) max[j] = x[i] + 0;
  });
  return { min, max };
}

/** scikit-learn's StandardScaler: count, mean, variance and scale per feature, NaN ignored. */
export function standard(x: ArrayLike<number>, sizes: Sizes) {
  const values: number[][] = Array.from({ length: sizes.features }, () => []);
  eachValue(sizes, (i, j) => {
    if (!Number.isNaN(x[i])) values[j].push(x[i]);
  });
  const count = Float64Array.from(values, (list) => list.length);
  const mean = new Float64Array(sizes.features);
  const variance = new Float64Array(sizes.features);
  for (const [j, list] of values.entries()) {
    const one = moments(list, { outer: list.length, features: 1, inner: 1 });
    mean[j] = list.length === 0 ? Number.NaN : one.mean[0];
    variance[j] = list.length === 0 ? Number.NaN : one.variance[0];
  }
  const epsilon = 2 ** -52;
  const scale = variance.map((v, j) =>
    v <= count[j] * epsilon * v + (count[j] * mean[j] * epsilon) ** 2 ? 1 : Math.sqrt(v),
  );
  return { count, mean, variance, scale };
}

/** scikit-learn's MinMaxScaler: X·scale + (low − min·scale), in the order that loses least. */
export function minMax(x: ArrayLike<number>, sizes: Sizes, [low, high]: readonly [number, number]) {
  const { min, max } = extrema(x, sizes);
  const epsilon = x instanceof Float32Array ? 2 ** -23 : 2 ** -52;
  const scale = min.map((m, j) => (high - low) / (max[j] - m < 10 * epsilon ? 1 : max[j] - m));
  const y = new Float64Array(x.length);
  eachValue(sizes, (i, j) => {
    y[i] = (x[i] - min[j]) * scale[j] + low;
  });
  return { min, max, scale, y };
}

/** How an image becomes numbers: mean and std per channel, in units of [0, 1]. */
export interface ImageMap {
  channels: "RGB" | "BGR" | "gray";
  layout: "NCHW" | "NHWC";
  mean: ArrayLike<number>;
  std: ArrayLike<number>;
}

/** ITU-R BT.601 luma, rounded to 8 bits, as Pillow's convert("L"): 0.299, 0.587 and 0.114 in 16 bits. */
export function luma(r: number, g: number, b: number): number {
  return Math.floor((19595 * r + 38470 * g + 7471 * b) / 65536 + 0.5);
}

/** Calls back with (index in y, channel, value) for every value of an image with `bytes` bytes a pixel. */
export function eachPixelValue(
  image: ArrayLike<number>,
  bytes: number,
  { channels, layout }: ImageMap,
  visit: (i: number, channel: number, v: number) => void,
): void {
  const pixels = image.length / bytes;
  const order = channels === "gray" ? [0] : channels === "RGB" ? [0, 1, 2] : [2, 1, 0];
  for (let p = 0; p < pixels; p++) {
    const at = bytes * p;
    for (let c = 0; c < order.length; c++) {
      const v = channels === "gray" ? luma(image[at], image[at + 1], image[at + 2]) : image[at + order[c]];
      visit(layout === "NCHW" ? pixels * c + p : order.length * p + c, c, v);
    }
  }
}

/** (v/255 − mean)/std, and the largest of its terms: v/255/std, mean/std and the result. */
export function pixel(v: number, mean: number, std: number): { y: number; largest: number } {
  const y = (v / 255 - mean) / std;
  return { y, largest: Math.max(v / 255 / std, Math.abs(mean / std), Math.abs(y)) };
}

/** The distance from |x|, rounded to float32, to the next larger float32. */
export function ulp(x: number): number {
  const float = Math.max(Math.abs(Math.fround(x)), 2 ** -126);
  return 2 ** (Math.floor(Math.log2(float)) - 23);
}
