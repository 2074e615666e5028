// Rows: LayerNorm and RMSNorm. Features are last and contiguous; each row has statistics of its own.
//
//   x ──► seed, sums ──► fold ──► [center | scale | shift] per row ──► apply ──► y         see rows-moments.ts
//
// A block of rows goes through these steps while it is in the nearest cache. Rows i and i + rows/2 are walked
// together ("far streams", see moments-columns.ts) and share the loads of gamma and beta; an odd last row is walked
// alone. Each row is summed in the same order either way, so that its result depends on nothing but itself.

import {
  Added,
  apart,
  Bare,
  CENTER,
  DOUBTFUL,
  doubted,
  ENTRY,
  exactMean,
  exactScale,
  fold,
  Layer,
  lastSums,
  pair,
  Root,
  rowsOf,
  SCALE,
  SHIFT,
  SHIFTED,
  seed,
  storePair,
  sums,
  Unshifted,
} from "./rows-moments";

/**
 * y = (x − mean)/√(variance + epsilon)·gamma + beta for each of `rows` rows, variance = Σ(x − mean)²/features.
 * y may be x. Unless `skip` is 0, x + skip is normalized, and stored to `sum` unless that is 0; it may be x or
 * skip. gamma and beta are padded to 8 features; `work` has room for 4 KB.
 */
export function layerNorm(
  x: usize,
  y: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  beta: usize,
  skip: usize,
  sum: usize,
  work: usize,
): void {
  if (skip) norm<Layer, Added>(x, y, rows, features, epsilon, gamma, beta, skip, sum ? sum : y, work);
  else norm<Layer, Bare>(x, y, rows, features, epsilon, gamma, beta, x, x, work);
}

/** y = x/√(Σx²/features + epsilon)·gamma for each row; the rest as for layerNorm. */
export function rmsNorm(
  x: usize,
  y: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  skip: usize,
  sum: usize,
  work: usize,
): void {
  if (skip) norm<Root, Added>(x, y, rows, features, epsilon, gamma, gamma, skip, sum ? sum : y, work);
  else norm<Root, Bare>(x, y, rows, features, epsilon, gamma, gamma, x, x, work);
}

/** `sum` is where x + skip stands, or x itself. */
function norm<Kind, Sum>(
  x: usize,
  y: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  beta: usize,
  skip: usize,
  sum: usize,
  work: usize,
): void {
  assert(rows > 0 && features > 0);
  const stride = features << 2;
  const most = rowsOf(stride);
  const span = (rows >> 1) * stride;
  const beside = skip - x;
  const kept = sum - x;
  const target = y - sum;
  const across = beta - gamma;
  const last = x + (span << 1);
  for (let left = rows >> 1; left > 0; ) {
    const count = min(left, most);
    block<Kind, Sum>(x, beside, kept, target, count, features, span, epsilon, gamma, across, work);
    x += count * stride;
    left -= count;
  }
  if (rows & 1) block<Kind, Sum>(last, beside, kept, target, 1, features, 0, epsilon, gamma, across, work);
}

/**
 * `rows` rows of two streams `span` bytes apart, or of one if that is 0; y lies `target` bytes from the sums, and
 * beta `across` bytes from gamma. Called twice, so that the compiler leaves it a function: optimized code takes
 * over at a call.
 */
function block<Kind, Sum>(
  x: usize,
  beside: usize,
  kept: usize,
  target: usize,
  rows: usize,
  features: usize,
  span: usize,
  epsilon: f64,
  gamma: usize,
  across: usize,
  work: usize,
): void {
  if (idof<Kind>() === idof<Layer>()) {
    const added = idof<Sum>() === idof<Added>();
    seed(x, beside, added, rows, features, work, 0);
    seed(x + span, beside, added, rows, features, work, 1);
  }
  if (span) sums<Kind, Sum, i16>(x, beside, kept, rows, features, span, work);
  else sums<Kind, Sum, i8>(x, beside, kept, rows, features, 0, work);
  if (features & 7) lastSums<Kind, Sum>(x, beside, kept, rows, features, span, work);
  finish<Kind>(x + kept, target, rows, features, span, epsilon, gamma, across, work);
}

/** Fold and apply. */
function finish<Kind>(
  x: usize,
  target: usize,
  rows: usize,
  features: usize,
  span: usize,
  epsilon: f64,
  gamma: usize,
  across: usize,
  work: usize,
): void {
  const found = fold(rows, features, epsilon, work);
  if (found === DOUBTFUL) {
    careful<Kind>(x, target, rows, features, epsilon, gamma, across, work);
    if (span) careful<Kind>(x + span, target, rows, features, epsilon, gamma, across, work + 4);
    return;
  }
  if (features & 7) lastColumns<Kind>(x, target, rows, features, span, gamma, across, work);
  if (features < 8) return;
  if (span === 0) apply<Kind, i8>(x, target, rows, features, 0, gamma, across, work);
  else if (idof<Kind>() === idof<Root>() || found === SHIFTED)
    apply<Kind, i16>(x, target, rows, features, span, gamma, across, work);
  else apply<Unshifted, i16>(x, target, rows, features, span, gamma, across, work);
}

/**
 * y = ((x − center)·scale + shift)·gamma + beta, or x·scale·gamma, for all columns but the last features % 8.
 * `entry` may be that of the second row plus 4 bytes.
 */
function apply<Kind, Streams>(
  x: usize,
  target: usize,
  rows: usize,
  features: usize,
  span: usize,
  gamma: usize,
  across: usize,
  entry: usize,
): void {
  do {
    const c0 = v128.load32_splat(entry, CENTER);
    const c1 = v128.load32_splat(entry, CENTER + 4);
    const s0 = v128.load32_splat(entry, SCALE);
    const s1 = v128.load32_splat(entry, SCALE + 4);
    const t0 = v128.load32_splat(entry, SHIFT);
    const t1 = v128.load32_splat(entry, SHIFT + 4);
    const end = x + ((features & ~7) << 2);
    let g = gamma;
    // Main loop: 8 columns of every stream.
    do {
      const g0 = v128.load(g);
      const g1 = v128.load(g, 16);
      const b0 = idof<Kind>() === idof<Root>() ? g0 : v128.load(g + across);
      const b1 = idof<Kind>() === idof<Root>() ? g1 : v128.load(g + across, 16);
      v128.store(x + target, normalized<Kind>(v128.load(x), c0, s0, t0, g0, b0));
      v128.store(x + target, normalized<Kind>(v128.load(x, 16), c0, s0, t0, g1, b1), 16);
      if (sizeof<Streams>() === 2) {
        const far = x + span;
        v128.store(far + target, normalized<Kind>(v128.load(far), c1, s1, t1, g0, b0));
        v128.store(far + target, normalized<Kind>(v128.load(far, 16), c1, s1, t1, g1, b1), 16);
      }
      x += 32;
      g += 32;
    } while (x < end);
    entry += ENTRY;
    x += (features & 7) << 2;
  } while (--rows);
}

/** The last features % 8 columns, those of both streams at a time. */
function lastColumns<Kind>(
  x: usize,
  target: usize,
  rows: usize,
  features: usize,
  span: usize,
  gamma: usize,
  across: usize,
  entry: usize,
): void {
  const main = (features & ~7) << 2;
  do {
    const c = v128.load64_zero(entry, CENTER);
    const s = v128.load64_zero(entry, SCALE);
    const t = v128.load64_zero(entry, SHIFT);
    let g = gamma + main;
    x += main;
    for (let left = features & 7; left > 0; left--) {
      const b = v128.load32_splat(g + across);
      storePair(x + target, span, normalized<Kind>(pair(x, span), c, s, t, v128.load32_splat(g), b));
      x += 4;
      g += 4;
    }
    entry += ENTRY;
  } while (--rows);
}

function normalized<Kind>(x: v128, c: v128, s: v128, t: v128, g: v128, b: v128): v128 {
  let v = f32x4.mul(apart<Kind>(x, c), s);
  if (idof<Kind>() === idof<Layer>()) v = f32x4.add(v, t);
  v = f32x4.mul(v, g);
  return idof<Kind>() === idof<Root>() ? v : f32x4.add(v, b);
}

/** Rows of one stream, of which the doubtful ones are computed in f64. */
function careful<Kind>(
  x: usize,
  target: usize,
  rows: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  across: usize,
  entry: usize,
): void {
  do {
    if (doubted(entry)) {
      exact(x, target, features, epsilon, gamma, across, idof<Kind>() === idof<Layer>());
    } else {
      if (features & 7) lastColumns<Kind>(x, target, 1, features, 0, gamma, across, entry);
      if (features >= 8) apply<Kind, i8>(x, target, 1, features, 0, gamma, across, entry);
    }
    entry += ENTRY;
    x += features << 2;
  } while (--rows);
}

/** A row in f64 throughout; `layer`: with mean and beta. */
function exact(
  x: usize,
  target: usize,
  features: usize,
  epsilon: f64,
  gamma: usize,
  across: usize,
  layer: bool,
): void {
  const mean = layer ? exactMean(x, features) : 0;
  const scale = exactScale(x, features, epsilon, mean);
  const end = x + (features << 2);
  do {
    const v = (<f64>load<f32>(x) - mean) * scale * <f64>load<f32>(gamma);
    store<f32>(x + target, <f32>(layer ? v + <f64>load<f32>(gamma + across) : v));
    x += 4;
    gamma += 4;
  } while (x < end);
}
