// Backward of LayerNorm and RMSNorm. With u = dy·gamma, x̂ = (x − mean)·scale and n features, per row
//
//   dx = scale·(u − Σu/n − x̂·Σ(u·x̂)/n),   for RMSNorm without Σu/n;   per column dgamma = Σ dy·x̂, dbeta = Σ dy
//
// (J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016; the sums gathered.) It is reduce, fold and
// apply once more, with two inputs. The statistics are taken again in the walk that sums the gradients, so that
// nothing is kept between calls and nothing can be stale; keeping them would save 12 % of the time. RMSNorm is
// the case mean = Σu = 0: loops of its own would take a third less time, and 2.3 kB.

import { foldGradients, gradientSums, OFFSET, SLOPE } from "./rows-gradients";
import {
  CENTER,
  DOUBTFUL,
  doubted,
  ENTRIES,
  ENTRY,
  exactMean,
  exactScale,
  fold,
  pair,
  rowsOf,
  SCALE,
  SHIFT,
  seed,
  storePair,
} from "./rows-moments";
import { affine, lower, upper } from "./vector";

/** Behind the entries: f32 sums of dgamma, then of dbeta. */
const COLUMNS: usize = ENTRIES * ENTRY;

/** Rows of each stream between two flushes of those to f64. */
const ROWS: usize = 32;

/**
 * dx of layerNorm without skip, for `rows` rows; it may be dy or x. Adds Σ dy·x̂ to dgamma and Σ dy to dbeta, f64
 * per column. gamma, dgamma and dbeta are padded to 8 features; `work` has room for 4 KB and 8 bytes per padded
 * feature.
 */
export function layerNormBackward(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  dgamma: usize,
  dbeta: usize,
  work: usize,
): void {
  backward(x, dy, dx, rows, features, epsilon, gamma, dgamma, dbeta, work, true);
}

/** The same of rmsNorm, which has no beta. */
export function rmsNormBackward(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  dgamma: usize,
  work: usize,
): void {
  backward(x, dy, dx, rows, features, epsilon, gamma, dgamma, 0, work, false);
}

function backward(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  dgamma: usize,
  dbeta: usize,
  work: usize,
  layer: bool,
): void {
  assert(rows > 0 && features > 0);
  const stride = features << 2;
  const most = rowsOf(stride);
  const span = (rows >> 1) * stride;
  const delta = dy - x;
  const target = dx - x;
  const last = x + (span << 1);
  memory.fill(work + COLUMNS, 0, padded(features) << 1);
  let pending: usize = 0;
  for (let left = rows >> 1; left > 0; ) {
    const count = min(left, most);
    if (pending + count > ROWS) {
      flush(features, work, dgamma, dbeta, layer);
      pending = 0;
    }
    block(x, delta, target, count, features, span, epsilon, gamma, dgamma, dbeta, work, layer);
    pending += count;
    x += count * stride;
    left -= count;
  }
  if (rows & 1) block(last, delta, target, 1, features, 0, epsilon, gamma, dgamma, dbeta, work, layer);
  flush(features, work, dgamma, dbeta, layer);
}

/** Bytes of an f32 per feature, padded to 8 features. */
function padded(features: usize): usize {
  return ((features + 7) & ~7) << 2;
}

/** The f32 sums of the columns are added to dgamma and dbeta, and cleared. */
function flush(features: usize, work: usize, dgamma: usize, dbeta: usize, layer: bool): void {
  const length = padded(features);
  let from = work + COLUMNS;
  const end = from + length;
  do {
    widen(from, dgamma);
    if (layer) widen(from + length, dbeta);
    from += 16;
    dgamma += 32;
    dbeta += 32;
  } while (from < end);
}

function widen(from: usize, to: usize): void {
  const v = v128.load(from);
  v128.store(from, f32x4.splat(0));
  v128.store(to, f64x2.add(v128.load(to), lower(v)));
  v128.store(to, f64x2.add(v128.load(to, 16), upper(v)), 16);
}

/** `rows` rows of two streams `span` bytes apart, or of one if that is 0. Called twice, see rows.ts. */
function block(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  span: usize,
  epsilon: f64,
  gamma: usize,
  dgamma: usize,
  dbeta: usize,
  work: usize,
  layer: bool,
): void {
  if (layer) {
    seed(x, 0, false, rows, features, work, 0);
    seed(x + span, 0, false, rows, features, work, 1);
  }
  gradientSums(x, delta, rows, features, span, gamma, work, layer);
  const doubtful = fold(rows, features, epsilon, work) === DOUBTFUL;
  if (foldGradients(rows, features, work) || doubtful) {
    careful(x, delta, target, rows, features, epsilon, gamma, dgamma, dbeta, work, work, layer);
    if (span)
      careful(x + span, delta, target, rows, features, epsilon, gamma, dgamma, dbeta, work, work + 4, layer);
    return;
  }
  if (features & 7) lastColumns(x, delta, target, rows, features, span, gamma, work, work);
  if (features < 8) return;
  if (span) apply<i16>(x, delta, target, rows, features, span, gamma, work, work);
  else apply<i8>(x, delta, target, rows, features, 0, gamma, work, work);
}

// ------------------------------------------------------------------------------------- apply

/** dx; dy·x̂ and dy are added to the sums of their columns, for all but the last features % 8. */
function apply<Streams>(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  span: usize,
  gamma: usize,
  work: usize,
  entry: usize,
): void {
  const toBeta = padded(features);
  do {
    const c0 = v128.load32_splat(entry, CENTER);
    const c1 = v128.load32_splat(entry, CENTER + 4);
    const s0 = v128.load32_splat(entry, SCALE);
    const s1 = v128.load32_splat(entry, SCALE + 4);
    const t0 = v128.load32_splat(entry, SHIFT);
    const t1 = v128.load32_splat(entry, SHIFT + 4);
    const k0 = v128.load32_splat(entry, SLOPE);
    const k1 = v128.load32_splat(entry, SLOPE + 4);
    const o0 = v128.load32_splat(entry, OFFSET);
    const o1 = v128.load32_splat(entry, OFFSET + 4);
    const end = x + ((features & ~7) << 2);
    let g = gamma;
    let w = work + COLUMNS;
    // Main loop: 4 columns of every stream.
    do {
      const scales = v128.load(g);
      let dbeta = v128.load(x + delta);
      let hat = affine(v128.load(x), c0, s0, t0);
      v128.store(x + target, gradient(f32x4.mul(dbeta, scales), hat, s0, k0, o0));
      let dgamma = f32x4.mul(dbeta, hat);
      if (sizeof<Streams>() === 2) {
        const far = x + span;
        const dy = v128.load(far + delta);
        hat = affine(v128.load(far), c1, s1, t1);
        v128.store(far + target, gradient(f32x4.mul(dy, scales), hat, s1, k1, o1));
        dgamma = f32x4.add(dgamma, f32x4.mul(dy, hat));
        dbeta = f32x4.add(dbeta, dy);
      }
      v128.store(w, f32x4.add(v128.load(w), dgamma));
      v128.store(w + toBeta, f32x4.add(v128.load(w + toBeta), dbeta));
      x += 16;
      g += 16;
      w += 16;
    } while (x < end);
    entry += ENTRY;
    x += (features & 7) << 2;
  } while (--rows);
}

/** The last features % 8 columns, those of both streams at a time, or of one if the span is 0. */
function lastColumns(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  span: usize,
  gamma: usize,
  work: usize,
  entry: usize,
): void {
  const main = (features & ~7) << 2;
  const toBeta = padded(features);
  do {
    const c = v128.load64_zero(entry, CENTER);
    const s = v128.load64_zero(entry, SCALE);
    const t = v128.load64_zero(entry, SHIFT);
    const k = v128.load64_zero(entry, SLOPE);
    const o = v128.load64_zero(entry, OFFSET);
    let g = gamma + main;
    let w = work + COLUMNS + main;
    x += main;
    for (let left = features & 7; left > 0; left--) {
      const dy = pair(x + delta, span);
      const hat = affine(pair(x, span), c, s, t);
      storePair(x + target, span, gradient(f32x4.mul(dy, v128.load32_splat(g)), hat, s, k, o));
      add(w, f32x4.mul(dy, hat), span);
      add(w + toBeta, dy, span);
      x += 4;
      g += 4;
      w += 4;
    }
    entry += ENTRY;
  } while (--rows);
}

/** scale·(u + (slope·x̂ + offset)) */
function gradient(u: v128, hat: v128, scale: v128, slope: v128, offset: v128): v128 {
  return f32x4.mul(scale, f32x4.add(u, f32x4.add(f32x4.mul(slope, hat), offset)));
}

/** Adds the values of one column: both, or the first if the span is 0. */
function add(to: usize, v: v128, span: usize): void {
  const first = f32x4.extract_lane(v, 0);
  store<f32>(to, load<f32>(to) + (span ? first + f32x4.extract_lane(v, 1) : first));
}

// ------------------------------------------------------------------------------------- exact

/** Rows of one stream, of which the doubtful ones are computed in f64. */
function careful(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  dgamma: usize,
  dbeta: usize,
  work: usize,
  entry: usize,
  layer: bool,
): void {
  do {
    if (doubted(entry)) {
      exact(x, delta, target, features, epsilon, gamma, dgamma, dbeta, layer);
    } else {
      if (features & 7) lastColumns(x, delta, target, 1, features, 0, gamma, work, entry);
      if (features >= 8) apply<i8>(x, delta, target, 1, features, 0, gamma, work, entry);
    }
    entry += ENTRY;
    x += features << 2;
  } while (--rows);
}

/** A row in f64 throughout; `layer`: with mean and dbeta. */
function exact(
  x: usize,
  delta: usize,
  target: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  dgamma: usize,
  dbeta: usize,
  layer: bool,
): void {
  const mean = layer ? exactMean(x, features) : 0;
  const scale = exactScale(x, features, epsilon, mean);
  const n = <f64>features;
  const end = x + (features << 2);
  let a: f64 = 0;
  let b: f64 = 0;
  for (let p = x, g = gamma; p < end; p += 4, g += 4) {
    const u = <f64>load<f32>(p + delta) * <f64>load<f32>(g);
    if (layer) a += u;
    b += u * ((<f64>load<f32>(p) - mean) * scale);
  }
  do {
    const dy = <f64>load<f32>(x + delta);
    const hat = (<f64>load<f32>(x) - mean) * scale;
    store<f32>(x + target, <f32>(scale * (dy * <f64>load<f32>(gamma) - a / n - (hat * b) / n)));
    store<f64>(dgamma, load<f64>(dgamma) + dy * hat);
    if (layer) store<f64>(dbeta, load<f64>(dbeta) + dy);
    x += 4;
    gamma += 4;
    dgamma += 8;
    dbeta += 8;
  } while (x < end);
}
