// Fold: statistics and parameters become the tables that apply.ts and backward.ts read. All in f64, rounded once.

import { GROUP, groups, nextHalf, SLOPE_GROUP } from "./table";
import { halves, lower, mask, narrow, upper } from "./vector";

// What float32 holds: a center and a shift so far from its end that no difference and no sum of finite values
// overflows, and a scale that is neither subnormal nor infinite. Anything else is for steps in float64.

/** 2¹⁰⁰: less than half a unit in the last place of the largest float32. */
const LARGEST: f32 = 1.2676506002282294e30;
const LARGEST_SCALE: f32 = 1.7014118346046923e38;
const SMALLEST_SCALE: f32 = 1.1754943508222875e-38;

/**
 * With variance = m2/count and scale = gamma/√(variance + epsilon), per feature
 *   center = f32(mean),  scale,  shift = beta + (center − mean)·scale.
 * Folding the low part of the mean into the shift keeps y = (x − center)·scale + shift exact at any mean.
 * mean and m2 are f64, gamma and beta f32, all padded to 8 features.
 *
 * Returns whether float32 holds the map.
 */
export function fold(
  mean: usize,
  m2: usize,
  count: f64,
  gamma: usize,
  beta: usize,
  epsilon: f64,
  features: usize,
  table: usize,
): bool {
  assert(features > 0);
  const inverse = f64x2.splat(1 / count);
  const e = f64x2.splat(epsilon);
  const one = f64x2.splat(1);
  let odd: i32 = 0;
  let lanes = <i32>features;
  let left = groups(features) << 1;
  do {
    const m0 = v128.load(mean);
    const m1 = v128.load(mean, 16);
    const g = v128.load(gamma);
    const b = v128.load(beta);
    const r0 = f64x2.div(one, f64x2.sqrt(f64x2.add(f64x2.mul(v128.load(m2), inverse), e)));
    const r1 = f64x2.div(one, f64x2.sqrt(f64x2.add(f64x2.mul(v128.load(m2, 16), inverse), e)));
    const s0 = f64x2.mul(lower(g), r0);
    const s1 = f64x2.mul(upper(g), r1);
    const center = narrow(m0, m1);
    const scale = narrow(s0, s1);
    const b0 = f64x2.add(lower(b), f64x2.mul(f64x2.sub(lower(center), m0), s0));
    const b1 = f64x2.add(upper(b), f64x2.mul(f64x2.sub(upper(center), m1), s1));
    const shift = narrow(b0, b1);
    v128.store(table, center);
    v128.store(table, scale, 32);
    v128.store(table, shift, 64);
    odd |= beyond(center, scale, shift, g) & mask(lanes, 4);
    lanes -= 4;
    table += nextHalf(left, GROUP);
    mean += 32;
    m2 += 32;
    gamma += 16;
    beta += 16;
  } while (--left);
  return odd === 0;
}

/**
 * Takes a copy of what a map is folded from, padded to 8 as above: 192 bytes for 8 features.
 *
 * Returns whether it is what the copy before was: then the map is, too. Comparing takes a third of what folding does.
 */
export function keep(mean: usize, m2: usize, gamma: usize, beta: usize, features: usize, copy: usize): bool {
  assert(features > 0);
  let change = i32x4.splat(0);
  for (let left = groups(features) << 1; left > 0; left--) {
    change = v128.or(change, v128.or(kept(copy, mean), kept(copy + 16, mean + 16)));
    change = v128.or(change, v128.or(kept(copy + 32, m2), kept(copy + 48, m2 + 16)));
    change = v128.or(change, v128.or(kept(copy + 64, gamma), kept(copy + 80, beta)));
    copy += 96;
    mean += 32;
    m2 += 32;
    gamma += 16;
    beta += 16;
  }
  return !v128.any_true(change);
}

/** Replaces a vector; returns the bits that differ. */
function kept(copy: usize, from: usize): v128 {
  const v = v128.load(from);
  const change = v128.xor(v, v128.load(copy));
  v128.store(copy, v);
  return change;
}

/** The lanes of a map that float32 does not hold, as bits; a scale may be 0 where its `factor` is. */
export function beyond(center: v128, scale: v128, shift: v128, factor: v128): i32 {
  return i32x4.bitmask(v128.or(v128.or(far(center), far(shift)), steepOrFlat(scale, factor)));
}

/** The lanes of a center or a shift that float32 does not hold. */
function far(value: v128): v128 {
  return f32x4.gt(f32x4.abs(value), f32x4.splat(LARGEST));
}

/** The lanes of a scale that float32 does not hold; it may be 0 where its `factor` is. */
function steepOrFlat(scale: v128, factor: v128): v128 {
  const size = f32x4.abs(scale);
  const steep = f32x4.gt(size, f32x4.splat(LARGEST_SCALE));
  const flat = v128.and(f32x4.lt(size, f32x4.splat(SMALLEST_SCALE)), f32x4.ne(factor, f32x4.splat(0)));
  return v128.or(steep, flat);
}

/**
 * A map's own center, scale and shift, f64 per feature and padded to 8, become its table.
 *
 * Returns whether float32 holds the map.
 */
export function pack(center: usize, scale: usize, shift: usize, features: usize, table: usize): bool {
  assert(features > 0);
  const zero = f64x2.splat(0);
  let odd: i32 = 0;
  let lanes = <i32>features;
  let left = groups(features) << 1;
  do {
    const c0 = v128.load(center);
    const c1 = v128.load(center, 16);
    const s0 = v128.load(scale);
    const s1 = v128.load(scale, 16);
    const c = narrow(c0, c1);
    const s = narrow(s0, s1);
    const b0 = f64x2.add(v128.load(shift), f64x2.mul(f64x2.sub(lower(c), c0), s0));
    const b1 = f64x2.add(v128.load(shift, 16), f64x2.mul(f64x2.sub(upper(c), c1), s1));
    const b = narrow(b0, b1);
    v128.store(table, c);
    v128.store(table, s, 32);
    v128.store(table, b, 64);
    // A scale that f32 rounds to 0 is not 0.
    odd |= beyond(c, s, b, halves(f64x2.ne(s0, zero), f64x2.ne(s1, zero))) & mask(lanes, 4);
    lanes -= 4;
    table += nextHalf(left, GROUP);
    center += 32;
    scale += 32;
    shift += 32;
  } while (--left);
  return odd === 0;
}

/**
 * The sums S1 and S2 about f32(mean), see gradients.ts, become dbeta and dgamma: S1 is dbeta already, and
 * dgamma = s·(S2 + (center − mean)·S1), s = 1/√(m2/count + epsilon).
 *
 * Returns whether all of them are finite: float32 holds no sums of products beyond 3.4·10³⁸.
 */
export function foldSums(
  mean: usize,
  m2: usize,
  count: f64,
  epsilon: f64,
  features: usize,
  s1: usize,
  s2: usize,
): bool {
  assert(features > 0);
  const inverse = f64x2.splat(1 / count);
  const e = f64x2.splat(epsilon);
  const zero = f64x2.splat(0);
  let odd: i32 = 0;
  let lanes = <i32>features;
  let left = groups(features) << 2;
  do {
    const m = v128.load(mean);
    const apart = f64x2.sub(f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(m)), m);
    const deviation = f64x2.sqrt(f64x2.add(f64x2.mul(v128.load(m2), inverse), e));
    const sum = f64x2.add(v128.load(s2), f64x2.mul(apart, v128.load(s1)));
    const dGamma = f64x2.div(sum, deviation);
    v128.store(s2, dGamma);
    // What is not finite is not 0 times itself.
    odd |= i64x2.bitmask(f64x2.ne(f64x2.mul(dGamma, zero), zero)) & mask(lanes, 2);
    lanes -= 2;
    mean += 16;
    m2 += 16;
    s1 += 16;
    s2 += 16;
  } while (--left);
  return odd === 0;
}

/**
 * g = gamma·dgamma and b = gamma·dbeta, of which `count` samples per feature were summed, become the slope table
 * [center | A | B | C], see backward.ts: with s as above, A = gamma·s, B = −s·s·g/n and C = B·(center − mean) − s·b/n.
 *
 * Returns whether float32 holds it.
 */
export function foldSlope(
  mean: usize,
  m2: usize,
  count: f64,
  gamma: usize,
  epsilon: f64,
  features: usize,
  b: usize,
  g: usize,
  table: usize,
): bool {
  assert(features > 0);
  const inverse = f64x2.splat(1 / count);
  const e = f64x2.splat(epsilon);
  const one = f64x2.splat(1);
  let odd: i32 = 0;
  let lanes = <i32>features;
  let left = groups(features) << 1;
  do {
    const m0 = v128.load(mean);
    const m1 = v128.load(mean, 16);
    const weight = v128.load(gamma);
    const s0 = f64x2.div(one, f64x2.sqrt(f64x2.add(f64x2.mul(v128.load(m2), inverse), e)));
    const s1 = f64x2.div(one, f64x2.sqrt(f64x2.add(f64x2.mul(v128.load(m2, 16), inverse), e)));
    const center = narrow(m0, m1);
    // s/n; B and C without their signs
    const n0 = f64x2.mul(s0, inverse);
    const n1 = f64x2.mul(s1, inverse);
    const b0 = f64x2.mul(f64x2.mul(n0, s0), v128.load(g));
    const b1 = f64x2.mul(f64x2.mul(n1, s1), v128.load(g, 16));
    const c0 = f64x2.add(f64x2.mul(b0, f64x2.sub(lower(center), m0)), f64x2.mul(n0, v128.load(b)));
    const c1 = f64x2.add(f64x2.mul(b1, f64x2.sub(upper(center), m1)), f64x2.mul(n1, v128.load(b, 16)));
    const first = narrow(f64x2.mul(lower(weight), s0), f64x2.mul(upper(weight), s1));
    const second = narrow(b0, b1);
    const third = narrow(c0, c1);
    v128.store(table, center);
    v128.store(table, first, 32);
    v128.store(table, f32x4.neg(second), 64);
    v128.store(table, f32x4.neg(third), 96);
    const slant = narrow(v128.load(g), v128.load(g, 16));
    const steep = i32x4.bitmask(steepOrFlat(second, slant));
    odd |= (beyond(center, first, third, weight) | steep) & mask(lanes, 4);
    lanes -= 4;
    table += nextHalf(left, SLOPE_GROUP);
    mean += 32;
    m2 += 32;
    gamma += 16;
    b += 32;
    g += 32;
  } while (--left);
  return odd === 0;
}
