// Moments of planes: channels first. x holds images of planes of `inner` values, one plane per feature, walked in
// memory order: all planes of one channel first, to normalize it while it is in cache, is 1.3 to 1.8 times slower.

import { between, inverse, merge, weight } from "./merge";
import { horizontal, lower, totals, upper } from "./vector";

/** Values between two flushes of f32 sums to f64: 12 in each lane. With 16 the variance of heavy tails is 5.1·10⁻⁷ off. */
const FLUSH: usize = 192;

/** The same for half as many lanes: 8 in each, 5 to 15 % slower than without, where heavy tails are 1.8·10⁻⁶ off. */
const SHORT_FLUSH: usize = 64;

/** Planes up to here are summed first and merged together, two features at a time: the scalar divisions
 *  of a merge per plane cost [1, 2048, 7, 7] 2.7 times as much. */
const SHORT: usize = 512;

/** The first block, whose shift is the mean of 16 of its values. */
const FIRST: usize = 64;

/**
 * Adds `images` images of `planes` planes of `inner` values, one per feature, to the moments: mean, and
 * m2 = Σ(x − mean)². `count` samples per feature are in them already; 0 starts anew.
 *
 * Shifted sums as for columns, a shift for each plane.
 */
export function planesMoments(
  x: usize,
  images: usize,
  planes: usize,
  inner: usize,
  scratch: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(images > 0 && planes > 0 && inner > 0);
  do {
    imageMoments(x, planes, inner, scratch, mean, m2, count);
    x += (planes * inner) << 2;
    count += <f64>inner;
  } while (--images);
}

/** One image; `sums` has room for two f64 per plane. */
export function imageMoments(
  x: usize,
  planes: usize,
  inner: usize,
  sums: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  // Fewer than 4 values give no shift that is near the mean.
  if (count === 0 && inner < 4) imageMomentsExact(x, planes, inner, mean, m2, count);
  // One plane alone may be a part of one that others follow, and their moments are not to be merged with it.
  else if (planes === 1 && count > 0) longPlanes(x, planes, inner, mean, m2, count);
  else if (inner <= (count === 0 ? FIRST : SHORT)) shortPlanes(x, planes, inner, sums, mean, m2, count);
  else longPlanes(x, planes, inner, mean, m2, count);
}

/** Sums first, then the merges; each plane is one block. */
function shortPlanes(
  x: usize,
  planes: usize,
  inner: usize,
  sums: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  if (count === 0) {
    seedPlanes(x, planes, inner, mean);
    memory.fill(m2, 0, planes << 3);
  }
  planesSums(x, planes, inner, sums, mean);
  const pending = <f64>inner;
  const i = inverse(pending);
  const w = weight(count, pending);
  const b = between(count, pending);
  for (let left = planes; ; left -= 2) {
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
function seedPlanes(x: usize, planes: usize, inner: usize, mean: usize): void {
  do {
    store<f64>(mean, <f64>seed(x, inner));
    mean += 8;
    x += inner << 2;
  } while (--planes);
}

/** sums := f64 [Σ(x − K), Σ(x − K)²] of every plane, K = f32(mean). */
export function planesSums(x: usize, planes: usize, inner: usize, sums: usize, mean: usize): void {
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
    // Main loop: 8 values, flushed to f64 every 64; then one vector, then up to 3 values.
    let total = f64x2.splat(0);
    while (x < end8) {
      const stop = min(end8, x + (SHORT_FLUSH << 2));
      do {
        const a = f32x4.sub(v128.load(x), k);
        const b = f32x4.sub(v128.load(x, 16), k);
        s = f32x4.add(s, a);
        t = f32x4.add(t, b);
        q = f32x4.add(q, f32x4.mul(a, a));
        r = f32x4.add(r, f32x4.mul(b, b));
        x += 32;
      } while (x < stop);
      if (x < end8) {
        total = f64x2.add(total, totals(f32x4.add(s, t), f32x4.add(q, r)));
        s = zero;
        t = zero;
        q = zero;
        r = zero;
      }
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
    v128.store(sums, f64x2.add(total, totals(f32x4.add(s, t), f32x4.add(q, r))));
    sums += 16;
    mean += 8;
  } while (--planes);
}

/** Plane by plane in blocks of at most 4 times what came before, so that the shift amplifies rounding at most fivefold. */
function longPlanes(x: usize, planes: usize, inner: usize, mean: usize, m2: usize, count: f64): void {
  for (let j: usize = 0; j < planes; j++) {
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

  // Main loop: 16 values a turn, flushed to f64 every 192.
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
      sums = f64x2.add(sums, f64x2.add(lower(s), upper(s)));
      squares = f64x2.add(squares, f64x2.add(lower(q), upper(q)));
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
  sums = f64x2.add(sums, f64x2.add(lower(s), upper(s)));
  squares = f64x2.add(squares, f64x2.add(lower(q), upper(q)));
  return f64x2.add(i64x2.shuffle(sums, squares, 0, 2), i64x2.shuffle(sums, squares, 1, 3));
}

/** The same moments in f64 throughout, for what f32 sums cannot hold; see columnsMomentsExact. */
export function planesMomentsExact(
  x: usize,
  images: usize,
  planes: usize,
  inner: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(images > 0 && planes > 0 && inner > 0);
  do {
    imageMomentsExact(x, planes, inner, mean, m2, count);
    x += (planes * inner) << 2;
    count += <f64>inner;
  } while (--images);
}

function imageMomentsExact(x: usize, planes: usize, inner: usize, mean: usize, m2: usize, count: f64): void {
  for (let j: usize = 0; j < planes; j++) {
    const first = count > 0 ? load<f64>(mean + (j << 3)) : <f64>load<f32>(x);
    const k = Number.isFinite(first) ? first : 0;
    // A mean that is infinite stays so.
    let s = count > 0 ? first - k : 0;
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
