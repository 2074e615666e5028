// Moments in f64 of f32 or f64 values: what columns and planes share. Per feature, or column of rows that are read as
// one, they are known by
//
//   sums   [K | S | Q]                             a shift, Σ(x − K) and Σ(x − K)² of the running block
//   state  [N | count | mean | rest | m2 | rest]   values of the block, of those before it, and their moments
//
// in rows of four f64. Both moments are sums of two f64, so that merges, however many, add nothing to their error.
// The first 16 bytes of the memory that holds both say whether NaN is masked, and how many rows have been seen.
//
// The bound. A block adds at most T values to a sum, one after the other, so that with u = 2⁻⁵³ its S and Q are off by
// less than (T + 4)·u·Σ|x − K| and (T + 8)·u·Q, and what it adds to m2 by (5T + 30)·u·Q. Q is at most `most` times the
// m2 that it leads to, because blocks have at most 4 times as many values as what came before (Q ≤ 5·m2), or because it
// was looked at, and where Q was more, summed again about the block's own mean. So with T = 128 the variance is within
// 4·10⁻¹³ of itself, of the first block (T = 67, Q ≤ 16·m2) within 7·10⁻¹³, of masked blocks (T = 512, Q ≤ 2·m2) within
// 6·10⁻¹³; the mean within 2·(T + 4)·u ≤ 2·10⁻¹³ of the largest value. Not so where squares are no normal f64 numbers.

import { nextHalf } from "./table";
import { mask } from "./vector";

const HEAD: usize = 16;

/** Bytes of four columns' sums, and of their state. */
export const SUMS: usize = 96;
export const STATE: usize = 192;

const COUNT: usize = 32;
const MEAN: usize = 64;
const MEAN_REST: usize = 96;
const M2: usize = 128;
const M2_REST: usize = 160;

/** Groups of four columns. */
export function fours(columns: usize): usize {
  return (columns + 3) >> 2;
}

export function sumsOf(work: usize, column: usize): usize {
  return work + HEAD + (column >> 2) * SUMS + ((column & 3) << 3);
}

export function stateOf(work: usize, columns: usize, column: usize): usize {
  return work + HEAD + fours(columns) * SUMS + (column >> 2) * STATE + ((column & 3) << 3);
}

export function isMasked(work: usize): bool {
  return load<u32>(work) !== 0;
}

export function setMasked(work: usize): void {
  store<u32>(work, 1);
}

/** Rows, or values of a plane, that have been seen, NaN counted. */
export function seenOf(work: usize): f64 {
  return load<f64>(work, 8);
}

export function setSeen(work: usize, seen: f64): void {
  store<f64>(work, seen, 8);
}

export class Pair {
  /** Two f32 or f64 values as f64. */
  @inline static load<Value extends number>(x: usize): v128 {
    return sizeof<Value>() === 4 ? f64x2.promote_low_f32x4(v128.load64_zero(x)) : v128.load(x);
  }

  /** What is finite; 0 in place of what is not. */
  @inline static finite(v: v128): v128 {
    return v128.and(v, Pair.isFinite(v));
  }

  @inline static isFinite(v: v128): v128 {
    return f64x2.eq(f64x2.sub(v, v), f64x2.splat(0));
  }
}

/** The moments of nothing, of `columns` columns. A shift that is NaN has not been found yet. */
export function noMoments(work: usize, columns: usize): void {
  assert(columns > 0);
  const end = sumsOf(work, fours(columns) << 2);
  memory.fill(work, 0, HEAD + fours(columns) * (SUMS + STATE));
  for (let sums = work + HEAD; sums < end; sums += SUMS) {
    v128.store(sums, f64x2.splat(NaN));
    v128.store(sums, f64x2.splat(NaN), 16);
  }
}

/** Whether a sum of `columns` columns is NaN; padding says nothing. */
export function odd(sums: usize, columns: usize): bool {
  let found: i32 = 0;
  for (let lanes = <i32>columns, left = fours(columns) << 1; left > 0; lanes -= 2, left--) {
    const s = v128.load(sums, 32);
    found |= i64x2.bitmask(f64x2.ne(s, s)) & mask(lanes, 2);
    sums += nextHalf(left, SUMS);
  }
  return found !== 0;
}

/** Whether Σ(x − K)² of a column is more than `most` times the m2 that it leads to: Q > most·(m2 + Q − S²/n). */
export function far(sums: usize, state: usize, columns: usize, pending: f64, most: f64): bool {
  const p = f64x2.splat(pending);
  const a = f64x2.splat(most);
  const less = f64x2.splat(most - 1);
  let found: i32 = 0;
  for (let lanes = <i32>columns, left = fours(columns) << 1; left > 0; lanes -= 2, left--) {
    const s = v128.load(sums, 32);
    const n = f64x2.add(v128.load(state), p);
    const m2 = f64x2.mul(a, v128.load(state, M2));
    const near = f64x2.mul(n, f64x2.add(m2, f64x2.mul(less, v128.load(sums, 64))));
    found |= i64x2.bitmask(f64x2.gt(f64x2.mul(a, f64x2.mul(s, s)), near)) & mask(lanes, 2);
    sums += nextHalf(left, SUMS);
    state += nextHalf(left, STATE);
  }
  return found !== 0;
}

/** Forgets the block; K := the mean of its values. */
export function again(sums: usize, state: usize, groups: usize, pending: f64): void {
  const p = f64x2.splat(pending);
  const zero = f64x2.splat(0);
  let left = groups << 1;
  do {
    const k = v128.load(sums);
    const n = f64x2.pmax(f64x2.add(v128.load(state), p), f64x2.splat(1));
    const near = f64x2.add(k, f64x2.div(v128.load(sums, 32), n));
    v128.store(sums, v128.bitselect(near, k, Pair.isFinite(near)));
    v128.store(sums, zero, 32);
    v128.store(sums, zero, 64);
    v128.store(state, zero);
    sums += nextHalf(left, SUMS);
    state += nextHalf(left, STATE);
  } while (--left);
}

/**
 * Merges the block, to whose N `pending` values come (Chan, Golub & LeVeque 1983): with n values, d = S/n and
 * e = K + d − mean
 *   mean += e·n/(count + n)
 *   m2   += (Q − S·d) + e²·count·n/(count + n)
 * Then K := the mean. An infinite mean stays infinite, and has a finite shift.
 */
export function flush(sums: usize, state: usize, groups: usize, pending: f64): void {
  const p = f64x2.splat(pending);
  const one = f64x2.splat(1);
  const zero = f64x2.splat(0);
  let left = groups << 1;
  do {
    const s = v128.load(sums, 32);
    const n = f64x2.add(v128.load(state), p);
    const count = v128.load(state, COUNT);
    const all = f64x2.add(count, n);
    const d = f64x2.div(s, f64x2.pmax(n, one));
    const w = f64x2.div(n, f64x2.pmax(all, one));
    // Before there is a mean, it counts from the shift. Afterwards only a block that was summed again has another shift.
    const k = Pair.finite(v128.load(sums));
    const old = v128.bitselect(v128.load(state, MEAN), k, f64x2.gt(count, zero));
    const moved = Pair.finite(f64x2.sub(k, old));
    const e = f64x2.sub(f64x2.add(moved, d), v128.load(state, MEAN_REST));
    const step = f64x2.add(v128.load(state, MEAN_REST), f64x2.mul(e, w));
    const mean = f64x2.add(old, step);
    v128.store(state, mean, MEAN);
    v128.store(state, Pair.finite(f64x2.sub(step, f64x2.sub(mean, old))), MEAN_REST);

    const within = f64x2.pmax(f64x2.sub(v128.load(sums, 64), f64x2.mul(s, d)), zero);
    const more = f64x2.add(within, f64x2.mul(f64x2.mul(e, e), f64x2.mul(count, w)));
    const before = v128.load(state, M2);
    const m2 = f64x2.add(before, more);
    // What rounding took from the sum (Knuth's two-sum).
    const part = f64x2.sub(m2, before);
    const lost = f64x2.add(f64x2.sub(before, f64x2.sub(m2, part)), f64x2.sub(more, part));
    v128.store(state, m2, M2);
    v128.store(state, Pair.finite(f64x2.add(v128.load(state, M2_REST), lost)), M2_REST);

    v128.store(state, zero);
    v128.store(state, all, COUNT);
    v128.store(sums, v128.bitselect(Pair.finite(mean), f64x2.splat(NaN), f64x2.gt(all, zero)));
    v128.store(sums, zero, 32);
    v128.store(sums, zero, 64);
    sums += nextHalf(left, SUMS);
    state += nextHalf(left, STATE);
  } while (--left);
}

/**
 * Reads the moments of `columns` columns, of which column j is of feature (j / inner) % features, back: count, mean and
 * m2, f64 per feature.
 */
export function collectMoments(
  work: usize,
  columns: usize,
  features: usize,
  inner: usize,
  counts: usize,
  means: usize,
  squares: usize,
): void {
  assert(columns > 0 && features > 0);
  const period = features * inner;
  for (let feature: usize = 0; feature < features; feature++) {
    const own = stateOf(work, columns, feature * inner);
    let n = load<f64>(own, COUNT);
    let mean = load<f64>(own, MEAN);
    let rest = load<f64>(own, MEAN_REST);
    let m2 = load<f64>(own, M2) + load<f64>(own, M2_REST);
    for (let first = feature * inner; columns > features && first < columns; first += period) {
      for (let j = first; j < first + inner; j++) {
        const state = stateOf(work, columns, j);
        const count = load<f64>(state, COUNT);
        if (state === own || count === 0) continue;
        const other = load<f64>(state, MEAN);
        const e = other - mean + (load<f64>(state, MEAN_REST) - rest);
        const weight = count / (n + count);
        const step = rest + e * weight;
        const old = mean;
        // An infinite mean stays infinite: ∞ − ∞ would lose it.
        mean = Number.isFinite(e) ? old + step : old + other;
        rest = Number.isFinite(mean) ? step - (mean - old) : 0;
        m2 += load<f64>(state, M2) + load<f64>(state, M2_REST) + e * e * n * weight;
        n += count;
      }
    }
    const at = feature << 3;
    store<f64>(counts + at, n);
    store<f64>(means + at, mean);
    store<f64>(squares + at, m2);
  }
}
