// What the gradients of a row need of it: its statistics, and with u = dy·gamma the sums A = Σu and D = Σu·(x − K),
// all taken in one walk. The layout of an entry is that of rows-moments.ts.

import { both, CENTER, ENTRY, FLUSH, pair, Q, S, SCALE } from "./rows-moments";
import { lower } from "./vector";

/** Where the second half of an entry begins. */
const A: usize = 64;
const D: usize = 80;
export const SLOPE: usize = 96;
export const OFFSET: usize = 104;

// ------------------------------------------------------------------------------------ reduce

/** S, Q, A and D; the second of the streams may be the first. Unless `layer`, K = S = A = 0. */
export function gradientSums(
  x: usize,
  delta: usize,
  rows: usize,
  features: usize,
  span: usize,
  gamma: usize,
  entry: usize,
  layer: bool,
): void {
  const zero = f32x4.splat(0);
  do {
    if (!layer) v128.store64_lane(entry, zero, 0, CENTER);
    const k0 = v128.load32_splat(entry, CENTER);
    const k1 = v128.load32_splat(entry, CENTER + 4);
    const end = x + ((features & ~7) << 2);
    let g = gamma;
    let s = f64x2.splat(0);
    let q = f64x2.splat(0);
    let a = f64x2.splat(0);
    let d = f64x2.splat(0);
    while (x < end) {
      const stop = min(end, x + FLUSH);
      let s0 = zero;
      let s1 = zero;
      let q0 = zero;
      let q1 = zero;
      let a0 = zero;
      let a1 = zero;
      let d0 = zero;
      let d1 = zero;
      // Main loop: 4 columns of every stream, so that all eight sums stay in registers.
      do {
        const scales = v128.load(g);
        let u = f32x4.mul(v128.load(x + delta), scales);
        let v = f32x4.sub(v128.load(x), k0);
        a0 = f32x4.add(a0, u);
        s0 = f32x4.add(s0, v);
        d0 = f32x4.add(d0, f32x4.mul(u, v));
        q0 = f32x4.add(q0, f32x4.mul(v, v));
        const far = x + span;
        u = f32x4.mul(v128.load(far + delta), scales);
        v = f32x4.sub(v128.load(far), k1);
        a1 = f32x4.add(a1, u);
        s1 = f32x4.add(s1, v);
        d1 = f32x4.add(d1, f32x4.mul(u, v));
        q1 = f32x4.add(q1, f32x4.mul(v, v));
        x += 16;
        g += 16;
      } while (x < stop);
      a = f64x2.add(a, both<i16>(a0, a1));
      s = f64x2.add(s, both<i16>(s0, s1));
      d = f64x2.add(d, both<i16>(d0, d1));
      q = f64x2.add(q, both<i16>(q0, q1));
    }
    // The last features % 8 columns, of both streams at a time.
    for (let left = features & 7; left > 0; left--) {
      const u = lower(f32x4.mul(pair(x + delta, span), v128.load32_splat(g)));
      const v = lower(f32x4.sub(pair(x, span), v128.load64_zero(entry, CENTER)));
      a = f64x2.add(a, u);
      s = f64x2.add(s, v);
      d = f64x2.add(d, f64x2.mul(u, v));
      q = f64x2.add(q, f64x2.mul(v, v));
      x += 4;
      g += 4;
    }
    v128.store(entry, layer ? s : zero, S);
    v128.store(entry, q, Q);
    v128.store(entry, layer ? a : zero, A);
    v128.store(entry, d, D);
    entry += ENTRY;
  } while (--rows);
}

// -------------------------------------------------------------------------------------- fold

/**
 * dx = scale·(u + slope·x̂ + offset): since mean = K + S/n,
 *   slope = −Σ(u·x̂)/n = −scale·(D − A·S/n)/n,  offset = −A/n.
 * Returns whether one is not finite in f32; then its row is doubtful, and its scale NaN.
 */
export function foldGradients(entries: usize, features: usize, entry: usize): bool {
  const inverse = f64x2.splat(-1 / <f64>features);
  let trusted = i32x4.splat(-1);
  do {
    const scale = v128.load64_zero(entry, SCALE);
    const offset = f64x2.mul(v128.load(entry, A), inverse);
    const d = f64x2.add(v128.load(entry, D), f64x2.mul(offset, v128.load(entry, S)));
    const slopes = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.mul(lower(scale), d), inverse));
    const offsets = f32x4.demote_f64x2_zero(offset);
    // What is not finite minus itself is NaN.
    const sum = f32x4.add(f32x4.sub(slopes, slopes), f32x4.sub(offsets, offsets));
    trusted = v128.and(trusted, f32x4.eq(sum, sum));
    v128.store64_lane(entry, f32x4.add(scale, sum), 0, SCALE);
    v128.store64_lane(entry, slopes, 0, SLOPE);
    v128.store64_lane(entry, offsets, 0, OFFSET);
    entry += ENTRY;
  } while (--entries);
  return !i32x4.all_true(trusted);
}
