// The statistics of rows and their fold: what LayerNorm and RMSNorm, forward and backward, have in common.
//
// A row is summed about K, a value near its mean: S = Σ(x − K), Q = Σ(x − K)². RMSNorm is the case K = S = 0.
// Two rows share an entry of the work table, so that square roots and divisions are taken two at a time:
//
//   f64 [S × 2 | Q × 2],  f32 [center × 2 | scale × 2 | shift × 2 | free × 2]
//   f64 [A × 2 | D × 2],  f32 [slope × 2 | offset × 2 | free × 4]                  see rows-gradients.ts
//
// where center is K before the fold. A row that is walked alone stands in its entry twice.

import { horizontal, lower, upper } from "./vector";

/** LayerNorm, RMSNorm, and LayerNorm of rows without a shift (see fold), which is 6 % faster. */
export class Layer {}
export class Root {}
export class Unshifted {}

/** What is normalized: x, or the sum of x and what lies beside it. A walk of its own for the sums costs 20 % more. */
export class Bare {}
export class Added {}

/** Bytes of the work table for two rows. */
export const ENTRY: usize = 128;

/** The entries of a block, at most, and the bytes of each stream in it: what stays in the nearest cache. */
export const ENTRIES: usize = 32;
const BLOCK: usize = 8192;

/** Where the parts of an entry begin. */
export const S: usize = 0;
export const Q: usize = 16;
export const CENTER: usize = 32;
export const SCALE: usize = 40;
export const SHIFT: usize = 48;

/** Bytes of a row between two flushes of f32 sums to f64: y is off by at most 4·10⁻⁷ of a deviation on the worst data
 *  found (heavy tails). 4 KB would be 1 % faster, and off by 1.2·10⁻⁶. */
export const FLUSH: usize = 1024;

/** Beyond them f32 squares underflow or overflow: a row is doubtful if variance + epsilon is. */
const LEAST: f64 = 1e-36;
const MOST: f64 = 1e36;

/** Half a unit in the last place of 1. */
const NOTHING: f32 = 5.9604644775390625e-8;

/** Rows of each stream in a block. */
export function rowsOf(stride: usize): usize {
  return min(max<usize>(BLOCK / stride, 1), ENTRIES);
}

// ------------------------------------------------------------------------------------ reduce

/**
 * K of `rows` rows, into lane `stream` of their entries: the mean of its first and last 8 values, of its first 4, or
 * its first. They are summed as a tree, so that equal values give exactly their value. Beyond the cache, 16 values from
 * four places of a row would take LayerNorm from 0.4 to 0.6 ns per element.
 */
export function seed(
  x: usize,
  beside: usize,
  added: bool,
  rows: usize,
  features: usize,
  entry: usize,
  stream: usize,
): void {
  const last = (features << 2) - 32;
  entry += stream << 2;
  do {
    if (features >= 16) {
      const two = f32x4.add(value(x, beside, added), value(x + 16, beside, added));
      const more = f32x4.add(value(x + last, beside, added), value(x + last + 16, beside, added));
      const k = f32x4.mul(horizontal(f32x4.add(two, more)), f32x4.splat(1.0 / 16.0));
      v128.store32_lane(entry, k, 0, CENTER);
    } else if (features >= 4) {
      const k = f32x4.mul(horizontal(value(x, beside, added)), f32x4.splat(1.0 / 4.0));
      v128.store32_lane(entry, k, 0, CENTER);
    } else {
      store<f32>(entry, added ? load<f32>(x) + load<f32>(x + beside) : load<f32>(x), CENTER);
    }
    entry += ENTRY;
    x += features << 2;
  } while (--rows);
}

/** 4 values of x, or their sums with those `beside` bytes from them. */
function value(x: usize, beside: usize, added: bool): v128 {
  const v = v128.load(x);
  return added ? f32x4.add(v, v128.load(x + beside)) : v;
}

/**
 * S and Q of `rows` rows of each of sizeof<Streams>() streams, `span` bytes apart, over all columns but the last
 * features % 8. Sums of x and what lies `beside` it are stored `kept` bytes from it. Without K, center = S = 0.
 */
export function sums<Kind, Sum, Streams>(
  x: usize,
  beside: usize,
  kept: usize,
  rows: usize,
  features: usize,
  span: usize,
  entry: usize,
): void {
  const zero = f32x4.splat(0);
  do {
    if (idof<Kind>() === idof<Root>()) v128.store64_lane(entry, zero, 0, CENTER);
    const k0 = v128.load32_splat(entry, CENTER);
    const k1 = v128.load32_splat(entry, CENTER + 4);
    const end = x + ((features & ~7) << 2);
    let s = f64x2.splat(0);
    let q = f64x2.splat(0);
    while (x < end) {
      const stop = min(end, x + FLUSH);
      let s0 = zero;
      let t0 = zero;
      let s1 = zero;
      let t1 = zero;
      let q0 = zero;
      let r0 = zero;
      let q1 = zero;
      let r1 = zero;
      // Main loop: 8 columns of every stream.
      do {
        let d = taken<Kind, Sum>(x, beside, kept, k0);
        if (idof<Kind>() === idof<Layer>()) s0 = f32x4.add(s0, d);
        q0 = f32x4.add(q0, f32x4.mul(d, d));
        d = taken<Kind, Sum>(x + 16, beside, kept, k0);
        if (idof<Kind>() === idof<Layer>()) t0 = f32x4.add(t0, d);
        r0 = f32x4.add(r0, f32x4.mul(d, d));
        if (sizeof<Streams>() === 2) {
          const far = x + span;
          d = taken<Kind, Sum>(far, beside, kept, k1);
          if (idof<Kind>() === idof<Layer>()) s1 = f32x4.add(s1, d);
          q1 = f32x4.add(q1, f32x4.mul(d, d));
          d = taken<Kind, Sum>(far + 16, beside, kept, k1);
          if (idof<Kind>() === idof<Layer>()) t1 = f32x4.add(t1, d);
          r1 = f32x4.add(r1, f32x4.mul(d, d));
        }
        x += 32;
      } while (x < stop);
      if (idof<Kind>() === idof<Layer>()) {
        s = f64x2.add(s, both<Streams>(f32x4.add(s0, t0), f32x4.add(s1, t1)));
      }
      q = f64x2.add(q, both<Streams>(f32x4.add(q0, r0), f32x4.add(q1, r1)));
    }
    v128.store(entry, s, S);
    v128.store(entry, q, Q);
    entry += ENTRY;
    x += (features & 7) << 2;
  } while (--rows);
}

/** Adds the last features % 8 columns, those of both streams at a time. */
export function lastSums<Kind, Sum>(
  x: usize,
  beside: usize,
  kept: usize,
  rows: usize,
  features: usize,
  span: usize,
  entry: usize,
): void {
  do {
    x += (features & ~7) << 2;
    let s = v128.load(entry, S);
    let q = v128.load(entry, Q);
    for (let left = features & 7; left > 0; left--) {
      let v = pair(x, span);
      if (idof<Sum>() === idof<Added>()) {
        v = f32x4.add(v, pair(x + beside, span));
        storePair(x + kept, span, v);
      }
      const d = lower(apart<Kind>(v, v128.load64_zero(entry, CENTER)));
      if (idof<Kind>() === idof<Layer>()) s = f64x2.add(s, d);
      q = f64x2.add(q, f64x2.mul(d, d));
      x += 4;
    }
    v128.store(entry, s, S);
    v128.store(entry, q, Q);
    entry += ENTRY;
  } while (--rows);
}

/** 4 values about K; where they are sums, those are kept. */
function taken<Kind, Sum>(x: usize, beside: usize, kept: usize, k: v128): v128 {
  let v = v128.load(x);
  if (idof<Sum>() === idof<Added>()) {
    v = f32x4.add(v, v128.load(x + beside));
    v128.store(x + kept, v);
  }
  return apart<Kind>(v, k);
}

/** x − center, or x for RMSNorm. */
export function apart<Kind>(x: v128, center: v128): v128 {
  return idof<Kind>() === idof<Root>() ? x : f32x4.sub(x, center);
}

/** f64 [the sum of a, the sum of b]; b is a for a row alone. */
export function both<Streams>(a: v128, b: v128): v128 {
  if (sizeof<Streams>() === 1) b = a;
  const pairs = f32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  return f64x2.add(lower(pairs), upper(pairs));
}

/** One value of each stream: [x[0], x[span], 0, 0] */
export function pair(x: usize, span: usize): v128 {
  return v128.load32_lane(x + span, v128.load32_zero(x), 1);
}

/** Stores them; where the span is 0, the first remains. */
export function storePair(x: usize, span: usize, v: v128): void {
  v128.store32_lane(x + span, v, 1);
  v128.store32_lane(x, v, 0);
}

// -------------------------------------------------------------------------------------- fold

/** What fold has found: no row with a shift, some, or doubtful ones. */
const PLAIN: i32 = 0;
export const SHIFTED: i32 = 1;
export const DOUBTFUL: i32 = 2;

/**
 * With d = S/features, per row
 *   mean = K + d,  variance = (Q − S·d)/features,  scale = 1/√(variance + epsilon),
 *   center = f32(mean),  shift = (center − mean)·scale: what rounding took from the mean.
 * A shift below the rounding of 1 becomes 0, which spares apply an operation.
 * A row is doubtful, and its scale NaN, where f32 sums are not good enough: squares overflow or underflow, or d²
 * exceeds the variance (a huge value among the 16 of K), and then rounding is amplified more than twice.
 */
export function fold(entries: usize, features: usize, epsilon: f64, entry: usize): i32 {
  const inverse = f64x2.splat(1 / <f64>features);
  const e = f64x2.splat(epsilon);
  const one = f64x2.splat(1);
  const zero = f64x2.splat(0);
  let trusted = i32x4.splat(-1);
  let shifts = zero;
  do {
    const s = v128.load(entry, S);
    const d = f64x2.mul(s, inverse);
    const within = f64x2.sub(v128.load(entry, Q), f64x2.mul(s, d));
    const variance = f64x2.pmax(f64x2.mul(within, inverse), zero);
    const sum = f64x2.add(variance, e);
    const scale = f64x2.div(one, f64x2.sqrt(sum));
    const mean = f64x2.add(lower(v128.load64_zero(entry, CENTER)), d);
    const center = f32x4.demote_f64x2_zero(mean);
    const lost = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(lower(center), mean), scale));
    const shift = v128.and(lost, f32x4.gt(f32x4.abs(lost), f32x4.splat(NOTHING)));
    const near = f64x2.le(f64x2.mul(d, d), variance);
    const range = v128.and(f64x2.ge(sum, f64x2.splat(LEAST)), f64x2.le(sum, f64x2.splat(MOST)));
    const sure = v128.and(near, range);
    trusted = v128.and(trusted, sure);
    shifts = v128.or(shifts, shift);
    v128.store64_lane(entry, center, 0, CENTER);
    v128.store64_lane(entry, f32x4.demote_f64x2_zero(v128.or(scale, v128.not(sure))), 0, SCALE);
    v128.store64_lane(entry, shift, 0, SHIFT);
    entry += ENTRY;
  } while (--entries);
  if (!i64x2.all_true(trusted)) return DOUBTFUL;
  return v128.any_true(shifts) ? SHIFTED : PLAIN;
}

/** Whether the first row of an entry, or the second of the entry 4 bytes before, is doubtful. */
export function doubted(entry: usize): bool {
  return Number.isNaN(load<f32>(entry, SCALE));
}

// ------------------------------------------------------------------------------------- exact
// A doubtful row in f64 throughout, in two walks: nothing is amplified, and nothing overflows.

/** Σx/features */
export function exactMean(x: usize, features: usize): f64 {
  let sum: f64 = 0;
  const end = x + (features << 2);
  do {
    sum += <f64>load<f32>(x);
    x += 4;
  } while (x < end);
  return sum / <f64>features;
}

/** 1/√(Σ(x − mean)²/features + epsilon) */
export function exactScale(x: usize, features: usize, epsilon: f64, mean: f64): f64 {
  let squares: f64 = 0;
  const end = x + (features << 2);
  do {
    const d = <f64>load<f32>(x) - mean;
    squares += d * d;
    x += 4;
  } while (x < end);
  return 1 / Math.sqrt(squares / <f64>features + epsilon);
}
