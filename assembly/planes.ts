// Planes: channels first. x holds images of `features` planes of `inner` values, walked in memory order:
// all planes of one channel first, to normalize it while it is in cache, is 1.3 to 1.8 times slower.

import { Added, after, afterLane, Bare, Clamped, clamps } from "./after";
import { between, inverse, merge, weight } from "./merge";
import { affine, high, horizontal, low } from "./vector";

/** Values between two flushes of f32 sums to f64. */
const FLUSH: usize = 256;

/** Planes up to here are summed first and merged together, two features at a time: the scalar divisions
 *  of a merge per plane cost [1, 2048, 7, 7] 2.7 times as much. */
const SHORT: usize = 512;

/** The first block, whose shift is the mean of 16 of its values. */
const FIRST: usize = 64;

// ------------------------------------------------------------------------------------ reduce

/**
 * Adds `features` planes of `inner` values, one per feature, to the moments: mean, and m2 = Σ(x − mean)².
 * `count` samples per feature are in them already; 0 starts anew. `sums` has room for two f64 per feature.
 *
 * Shifted sums as for columns, a shift for each plane.
 */
export function planesMoments(
  x: usize,
  features: usize,
  inner: usize,
  sums: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(features > 0 && inner > 0);
  // Fewer than 4 values give no shift that is near the mean.
  if (count === 0 && inner < 4) planesMomentsExact(x, features, inner, mean, m2, count);
  else if (inner <= (count === 0 ? FIRST : SHORT)) shortPlanes(x, features, inner, sums, mean, m2, count);
  else longPlanes(x, features, inner, mean, m2, count);
}

/** Sums first, then the merges; each plane is one block. */
function shortPlanes(
  x: usize,
  features: usize,
  inner: usize,
  sums: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  if (count === 0) {
    seedPlanes(x, features, inner, mean);
    memory.fill(m2, 0, features << 3);
  }
  planesSums(x, features, inner, sums, mean);
  const pending = <f64>inner;
  const i = inverse(pending);
  const w = weight(count, pending);
  const b = between(count, pending);
  for (let left = features; ; left -= 2) {
    const first = v128.load(sums);
    const second = v128.load(sums, 16);
    const k = f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(v128.load(mean)));
    const s = i64x2.shuffle(first, second, 0, 2);
    const q = i64x2.shuffle(first, second, 1, 3);
    merge(mean, m2, k, s, q, i, w, b);
    if (left <= 2) break;
    sums += 32;
    mean += 16;
    m2 += 16;
  }
}

/** The shift of the first image: mean := seed. */
function seedPlanes(x: usize, features: usize, inner: usize, mean: usize): void {
  do {
    store<f64>(mean, <f64>seed(x, inner));
    mean += 8;
    x += inner << 2;
  } while (--features);
}

/** sums := f64 [Σ(x − K), Σ(x − K)²] of every plane, K = f32(mean). */
export function planesSums(x: usize, features: usize, inner: usize, sums: usize, mean: usize): void {
  const zero = f32x4.splat(0);
  const lane0 = i32x4(-1, 0, 0, 0);
  do {
    const k = f32x4.splat(<f32>load<f64>(mean));
    const end = x + (inner << 2);
    const end8 = x + ((inner & ~7) << 2);
    let s = zero;
    let t = zero;
    let q = zero;
    let r = zero;
    // Main loop: 8 values; then one vector, then up to 3 values.
    if (x < end8) {
      do {
        const a = f32x4.sub(v128.load(x), k);
        const b = f32x4.sub(v128.load(x, 16), k);
        s = f32x4.add(s, a);
        t = f32x4.add(t, b);
        q = f32x4.add(q, f32x4.mul(a, a));
        r = f32x4.add(r, f32x4.mul(b, b));
        x += 32;
      } while (x < end8);
    }
    if (inner & 4) {
      const a = f32x4.sub(v128.load(x), k);
      s = f32x4.add(s, a);
      q = f32x4.add(q, f32x4.mul(a, a));
      x += 16;
    }
    while (x < end) {
      const b = f32x4.sub(v128.load32_zero(x), v128.and(k, lane0));
      t = f32x4.add(t, b);
      r = f32x4.add(r, f32x4.mul(b, b));
      x += 4;
    }
    s = f32x4.add(s, t);
    q = f32x4.add(q, r);
    // [s0 + s2, q0 + q2, s1 + s3, q1 + q3], then its halves in f64
    const sq = f32x4.add(i32x4.shuffle(s, q, 0, 4, 1, 5), i32x4.shuffle(s, q, 2, 6, 3, 7));
    v128.store(sums, f64x2.add(low(sq), high(sq)));
    sums += 16;
    mean += 8;
  } while (--features);
}

/** Plane by plane in blocks of at most 4 times what came before, so that the shift amplifies rounding at most fivefold. */
function longPlanes(x: usize, features: usize, inner: usize, mean: usize, m2: usize, count: f64): void {
  for (let j: usize = 0; j < features; j++) {
    let n = count;
    let center = count === 0 ? <f64>seed(x, inner) : load<f64>(mean + (j << 3));
    let squares = count === 0 ? 0 : load<f64>(m2 + (j << 3));
    let left = inner;
    do {
      const block: usize = n === 0 ? FIRST : n * 4 < <f64>left ? <usize>(n * 4) : left;
      const pending = <f64>block;
      const k = <f32>center;
      const sq = planeSums(x, block, k);
      const s = f64x2.extract_lane(sq, 0);
      const d = s / pending;
      const e = <f64>k + d - center;
      const weight = pending / (n + pending);
      center += e * weight;
      squares += f64x2.extract_lane(sq, 1) - s * d + e * e * n * weight;
      n += pending;
      x += block << 2;
      left -= block;
    } while (left > 0);
    store<f64>(mean + (j << 3), center);
    store<f64>(m2 + (j << 3), squares);
  }
}

/** The mean of 16 values spread over the plane, or of its first 4, summed as a tree, so that equal values give exactly their value. */
function seed(x: usize, inner: usize): f32 {
  let v = v128.load(x);
  if (inner < 16) return f32x4.extract_lane(horizontal(v), 0) * (1.0 / 4.0);
  const step = (inner >> 2) << 2;
  const rest = f32x4.add(v128.load(x + 2 * step), v128.load(x + 3 * step));
  v = f32x4.add(f32x4.add(v, v128.load(x + step)), rest);
  return f32x4.extract_lane(horizontal(v), 0) * (1.0 / 16.0);
}

/** f64 [Σ(x − k), Σ(x − k)²] over `length` values in sequence. */
function planeSums(x: usize, length: usize, shift: f32): v128 {
  const k = f32x4.splat(shift);
  const zero = f32x4.splat(0);
  const end = x + (length << 2);
  let s = zero;
  let q = zero;

  // Main loop: 16 values a turn, flushed to f64 every 256.
  const end16 = x + ((length & ~15) << 2);
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  while (x < end16) {
    const stop = min(end16, x + (FLUSH << 2));
    let s1 = zero;
    let s2 = zero;
    let s3 = zero;
    let q1 = zero;
    let q2 = zero;
    let q3 = zero;
    do {
      const a = f32x4.sub(v128.load(x), k);
      const b = f32x4.sub(v128.load(x, 16), k);
      const c = f32x4.sub(v128.load(x, 32), k);
      const d = f32x4.sub(v128.load(x, 48), k);
      s = f32x4.add(s, a);
      s1 = f32x4.add(s1, b);
      s2 = f32x4.add(s2, c);
      s3 = f32x4.add(s3, d);
      q = f32x4.add(q, f32x4.mul(a, a));
      q1 = f32x4.add(q1, f32x4.mul(b, b));
      q2 = f32x4.add(q2, f32x4.mul(c, c));
      q3 = f32x4.add(q3, f32x4.mul(d, d));
      x += 64;
    } while (x < stop);
    s = f32x4.add(f32x4.add(s, s1), f32x4.add(s2, s3));
    q = f32x4.add(f32x4.add(q, q1), f32x4.add(q2, q3));
    if (x < end16) {
      sums = f64x2.add(sums, f64x2.add(low(s), high(s)));
      squares = f64x2.add(squares, f64x2.add(low(q), high(q)));
      s = zero;
      q = zero;
    }
  }
  // Up to 3 vectors, then up to 3 values.
  while (x + 12 < end) {
    const a = f32x4.sub(v128.load(x), k);
    s = f32x4.add(s, a);
    q = f32x4.add(q, f32x4.mul(a, a));
    x += 16;
  }
  const lane0 = i32x4(-1, 0, 0, 0);
  while (x < end) {
    const a = f32x4.sub(v128.load32_zero(x), v128.and(k, lane0));
    s = f32x4.add(s, a);
    q = f32x4.add(q, f32x4.mul(a, a));
    x += 4;
  }
  sums = f64x2.add(sums, f64x2.add(low(s), high(s)));
  squares = f64x2.add(squares, f64x2.add(low(q), high(q)));
  return f64x2.add(i64x2.shuffle(sums, squares, 0, 2), i64x2.shuffle(sums, squares, 1, 3));
}

/** The same moments in f64 throughout, for what f32 sums cannot hold; see columnsMomentsExact. */
export function planesMomentsExact(
  x: usize,
  features: usize,
  inner: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(features > 0 && inner > 0);
  for (let j: usize = 0; j < features; j++) {
    const first = <f64>load<f32>(x);
    const k = count > 0 ? load<f64>(mean + (j << 3)) : Number.isFinite(first) ? first : 0;
    let s: f64 = 0;
    let q: f64 = count > 0 ? load<f64>(m2 + (j << 3)) : 0;
    for (const end = x + (inner << 2); x < end; x += 4) {
      const d = <f64>load<f32>(x) - k;
      s += d;
      q += d * d;
    }
    const delta = s / (count + <f64>inner);
    store<f64>(mean + (j << 3), k + delta);
    store<f64>(m2 + (j << 3), max(q - s * delta, 0));
  }
}

// ------------------------------------------------------------------------------------- apply

/**
 * y = (x − center)·scale + shift, for `planes` planes whose features start at `feature` of the table; y may
 * be x. Then, see after.ts, plus `residual` unless that is 0, and clamped to low … high.
 */
export function planesApply(
  x: usize,
  y: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
  residual: usize,
  low: f32,
  high: f32,
): void {
  assert(planes > 0 && inner > 0);
  if (residual) applyPlanes<Added>(x, y - x, planes, inner, table, feature, residual - x, low, high);
  else if (clamps(low, high)) applyPlanes<Clamped>(x, y - x, planes, inner, table, feature, 0, low, high);
  else applyPlanes<Bare>(x, y - x, planes, inner, table, feature, 0, low, high);
}

/** y `delta` and the residual `beside` bytes from x. */
function applyPlanes<After>(
  x: usize,
  delta: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
  beside: usize,
  low: f32,
  high: f32,
): void {
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  do {
    const t = table + (feature >> 3) * 96 + ((feature & 7) << 2);
    const c = v128.load32_splat(t);
    const s = v128.load32_splat(t, 32);
    const b = v128.load32_splat(t, 64);
    const end = x + (inner << 2);
    const end16 = x + ((inner & ~15) << 2);
    // Main loop: 16 values.
    if (x < end16) {
      do {
        const y = x + delta;
        const r = x + beside;
        v128.store(y, after<After>(affine(v128.load(x), c, s, b), r, least, most));
        v128.store(y, after<After>(affine(v128.load(x, 16), c, s, b), r + 16, least, most), 16);
        v128.store(y, after<After>(affine(v128.load(x, 32), c, s, b), r + 32, least, most), 32);
        v128.store(y, after<After>(affine(v128.load(x, 48), c, s, b), r + 48, least, most), 48);
        x += 64;
      } while (x < end16);
    }
    // Up to 3 vectors, then up to 3 values.
    while (x + 12 < end) {
      v128.store(x + delta, after<After>(affine(v128.load(x), c, s, b), x + beside, least, most));
      x += 16;
    }
    while (x < end) {
      const v = affine(v128.load32_zero(x), c, s, b);
      v128.store32_lane(x + delta, afterLane<After>(v, x + beside, least, most), 0);
      x += 4;
    }
    feature++;
  } while (--planes);
}
