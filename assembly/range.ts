// The lines of min-max scaling for steps in f32: the search that src/range.ts does in f64, four features at a time.
//
// y = (x − center)·scale + shift rises with x at each of its three roundings. A line is taken once the minimum has become
// low and the maximum high by these very steps: then nothing between them leaves the range.

import { beyond } from "./fold";
import { GROUP, groups, nextHalf } from "./table";
import { halves, lower, mask, narrow, upper } from "./vector";

/** Half the distance of the numbers from 1 on. */
const UNIT: f64 = 5.9604644775390625e-8;

/** How far the center moves before a neighbour of the scale is tried: farther costs more than a neighbour does. */
const NEAR: f64 = 40;

/** Where the search ends: a step is at least 2⁻²⁵ of max − min. */
const FAR: f64 = 134217728;

/**
 * Writes the lines of features with these extrema, f64 each and padded to 8, into a table; below `constant`, max − min
 * counts as 0.
 *
 * Returns whether float32 holds them all. What a line is, and how far it is off: src/range.ts.
 */
export function lines(
  min: usize,
  max: usize,
  low: f32,
  high: f32,
  constant: f64,
  features: usize,
  table: usize,
): bool {
  assert(features > 0 && low < high);
  const across = low < 0 && high > 0;
  const fromMin = i32x4.splat(abs(low) <= abs(high) ? -1 : 0);
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const bottom = f64x2.splat(<f64>low);
  const range = f64x2.splat(<f64>high - <f64>low);
  const least = f64x2.splat(constant);
  const infinite = f32x4.splat(Infinity);
  let left = groups(features) << 1;
  let rest = <i32>features;
  do {
    // Extrema of float64 as what they become in float32, because it is these that the steps see.
    const from = narrow(v128.load(min), v128.load(min, 16));
    const to = narrow(v128.load(max), v128.load(max, 16));
    const a0 = lower(from);
    const a1 = upper(from);
    const w0 = f64x2.sub(lower(to), a0);
    const w1 = f64x2.sub(upper(to), a1);
    const tight0 = f64x2.lt(w0, least);
    const tight1 = f64x2.lt(w1, least);
    const s0 = v128.bitselect(range, f64x2.div(range, w0), tight0);
    const s1 = v128.bitselect(range, f64x2.div(range, w1), tight1);
    const scale = narrow(s0, s1);
    // Constant, or NaN without a value: it has nothing to meet.
    const flat = v128.not(halves(f64x2.ge(w0, least), f64x2.ge(w1, least)));
    const anchored = v128.or(fromMin, halves(tight0, tight1));
    let center = v128.bitselect(from, to, anchored);
    if (across) {
      const zero = narrow(f64x2.sub(a0, f64x2.div(bottom, s0)), f64x2.sub(a1, f64x2.div(bottom, s1)));
      center = v128.bitselect(center, zero, flat);
    }
    const p = f32x4.mul(f32x4.sub(from, center), scale);
    const q = f32x4.mul(f32x4.sub(to, center), scale);
    const shift = f32x4.sub(lows, p);
    v128.store(table, center);
    v128.store(table, scale, 32);
    v128.store(table, v128.bitselect(v128.bitselect(lows, highs, anchored), shift, flat), 64);
    const met = v128.or(flat, meets(p, q, shift, lows, highs));
    const lanes = mask(rest, 4);
    const none = i32x4.bitmask(v128.or(f32x4.eq(scale, f32x4.splat(0)), f32x4.eq(scale, infinite)));
    if (((none | i32x4.bitmask(f32x4.eq(narrow(w0, w1), infinite))) & lanes) !== 0) return false;
    for (let missing = lanes & ~i32x4.bitmask(met); missing !== 0; missing &= missing - 1) {
      const lane = <usize>ctz(missing);
      if (!search(table + (lane << 2), splat(from, lane), splat(to, lane), lows, highs)) return false;
    }
    const held = beyond(v128.load(table), v128.load(table, 32), v128.load(table, 64), scale);
    if ((held & lanes) !== 0) return false;
    rest -= 4;
    table += nextHalf(left, GROUP);
    min += 32;
    max += 32;
  } while (--left);
  return true;
}

/** Whether minimum and maximum, less the center and scaled, become low and high. */
function meets(p: v128, q: v128, shift: v128, lows: v128, highs: v128): v128 {
  return v128.and(f32x4.eq(f32x4.add(p, shift), lows), f32x4.eq(f32x4.add(q, shift), highs));
}

/** All lanes as the one of this number. */
function splat(v: v128, lane: usize): v128 {
  const first = i32x4.splat(<i32>lane * 0x04040404 + 0x03020100);
  return i8x16.swizzle(v, first);
}

/**
 * The center moves away from where it is, two steps to either side at a time; then neighbours of the scale, 0.75 to 1.5
 * units in its last place away, are tried as well. Whatever is written meets both ends.
 */
function search(at: usize, from: v128, to: v128, lows: v128, highs: v128): bool {
  const start = <f64>load<f32>(at);
  const scale = load<f32>(at, 32);
  const width = <f64>f32x4.extract_lane(to, 0) - <f64>f32x4.extract_lane(from, 0);
  const step = Math.max(Math.abs(start) * 2 * UNIT, (width * UNIT) / 2);
  const same = f32x4.splat(scale);
  const centers = f64x2.splat(start);
  for (let k: f64 = 0; k <= NEAR && k * step <= width; ) {
    const next = after(k);
    const d0 = f64x2.mul(f64x2.splat(k), f64x2(step, -step));
    const d1 = f64x2.mul(f64x2.splat(next), f64x2(step, -step));
    const both = next <= NEAR && next * step <= width;
    const center = narrow(f64x2.add(centers, d0), f64x2.add(centers, d1));
    if (take(at, center, same, from, to, lows, highs, both ? 15 : 3)) return true;
    k = after(next);
  }
  // As it is, then up, then down.
  const up = <f32>(<f64>scale * (1 + 1.5 * UNIT));
  const down = <f32>(<f64>scale * (1 - 1.5 * UNIT));
  const scales = f32x4(scale, up, down, down);
  for (let k: f64 = 0; k <= FAR && k * step <= width; k = after(k)) {
    for (let side: f64 = 1; side >= -1; side -= 2) {
      const center = f32x4.splat(<f32>(start + side * k * step));
      if (take(at, center, scales, from, to, lows, highs, 15)) return true;
    }
  }
  return false;
}

/** The next number of steps: they grow with the distance. */
function after(k: f64): f64 {
  return k + 1 + Math.floor(k / 8);
}

/** Writes the first of four lines that meets both ends, with the shift of the one or of the other. Returns whether one does. */
function take(
  at: usize,
  center: v128,
  scale: v128,
  from: v128,
  to: v128,
  lows: v128,
  highs: v128,
  lanes: i32,
): bool {
  const p = f32x4.mul(f32x4.sub(from, center), scale);
  const q = f32x4.mul(f32x4.sub(to, center), scale);
  const low = f32x4.sub(lows, p);
  const high = f32x4.sub(highs, q);
  const byLow = meets(p, q, low, lows, highs);
  const found = i32x4.bitmask(v128.or(byLow, meets(p, q, high, lows, highs))) & lanes;
  if (found === 0) return false;
  const lane = <usize>ctz(found);
  v128.store32_lane(at, splat(center, lane), 0);
  v128.store32_lane(at, splat(scale, lane), 0, 32);
  v128.store32_lane(at, splat(v128.bitselect(low, high, byLow), lane), 0, 64);
  return true;
}
