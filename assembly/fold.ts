// Fold: statistics and parameters become the table that the apply kernels read.

import { high, low, narrow } from "./vector";

/** 2¹²⁶: below it a difference of float32 numbers of that size is one, too. */
const FAR: f32 = 8.507059173023462e37;

/**
 * With variance = m2/count and scale = gamma/√(variance + epsilon), per feature
 *   center = f32(mean),  scale,  shift = beta + (center − mean)·scale.
 * Folding the low part of the mean into the shift keeps y = (x − center)·scale + shift exact at any mean.
 * All in f64, rounded once. Where the mean is near the end of float32 and not many standard deviations large,
 * x − center could overflow: there center = 0. mean and m2 are f64, gamma and beta f32, all padded to 8 features.
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
): void {
  assert(features > 0);
  const inverse = f64x2.splat(1 / count);
  const e = f64x2.splat(epsilon);
  const one = f64x2.splat(1);
  const large = f32x4.splat(FAR);
  const few = f32x4.splat(1024);
  let left = ((features + 7) >> 3) << 1;
  do {
    const m0 = v128.load(mean);
    const m1 = v128.load(mean, 16);
    const g = v128.load(gamma);
    const b = v128.load(beta);
    const r0 = f64x2.div(one, f64x2.sqrt(f64x2.add(f64x2.mul(v128.load(m2), inverse), e)));
    const r1 = f64x2.div(one, f64x2.sqrt(f64x2.add(f64x2.mul(v128.load(m2, 16), inverse), e)));
    const s0 = f64x2.mul(low(g), r0);
    const s1 = f64x2.mul(high(g), r1);
    const rounded = narrow(m0, m1);
    const deviations = narrow(f64x2.mul(m0, r0), f64x2.mul(m1, r1));
    const far = v128.and(f32x4.gt(f32x4.abs(rounded), large), f32x4.lt(f32x4.abs(deviations), few));
    const center = v128.andnot(rounded, far);
    const b0 = f64x2.add(low(b), f64x2.mul(f64x2.sub(low(center), m0), s0));
    const b1 = f64x2.add(high(b), f64x2.mul(f64x2.sub(high(center), m1), s1));
    v128.store(table, center);
    v128.store(table, narrow(s0, s1), 32);
    v128.store(table, narrow(b0, b1), 64);
    table += left & 1 ? 80 : 16;
    mean += 32;
    m2 += 32;
    gamma += 16;
    beta += 16;
  } while (--left);
}

/**
 * Whether some feature's moments may be beyond what f32 sums can hold and have to be computed exactly:
 * not finite, negative, or a variance below 10⁻³⁶ where squares underflow. A variance of exactly 0 is
 * that of a constant, unless the values are so small that all their squares vanished.
 */
export function doubtful(mean: usize, m2: usize, count: f64, features: usize): bool {
  const least = count * 1e-36;
  for (let j: usize = 0; j < features; j++) {
    const squares = load<f64>(m2 + (j << 3));
    if (squares >= least && squares < Infinity) continue;
    const size = Math.abs(load<f64>(mean + (j << 3)));
    if (squares === 0 && (size === 0 || size > 1e-15)) continue;
    return true;
  }
  return false;
}
