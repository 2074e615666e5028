// Moments of columns: features last. x is rows × features·inner (inner > 1: small planes, read as columns), `stride`
// bytes from one row to the next.
//
// Rows i, i + rows/4, i + rows/2, i + 3·rows/4 are walked together ("far streams"): four rows share
// each load of the table, and the prefetcher sees four sequential streams. Four adjacent rows are as
// fast in cache and 3.5 times slower beyond it (0.52 against 0.15 ns per element on 64 MB).
//
// Loops are `do … while`: V8 hoists loop invariants out of those only.

import { between, inverse, merge, weight } from "./merge";
import { planesMomentsExact } from "./moments-planes";
import { emptySums, GROUP, groups, nextHalf } from "./table";
import { tileMoments, wideOf } from "./tiles";
import { lower, narrow, upper } from "./vector";

/** Rows per stream between two flushes to f64: 16 keep the variance within 5·10⁻⁷ on the worst data found
 *  (two values in turn, heavy tails); 64 would be 6 to 12 % faster and twice beyond it. */
const FLUSH: usize = 16;

/** Rows that are summed in f64 at once: so few give no shift near the mean, and cost little. */
const FEW: usize = 16;

/**
 * Adds rows × features·inner values to the moments: per feature the mean, and m2 = Σ(x − mean)².
 * `count` samples per feature are in them already; 0 starts anew. `copies` rows are read as one.
 *
 * Reads up to 28 bytes past the last row.
 */
export function columnsMoments(
  x: usize,
  rows: usize,
  features: usize,
  inner: usize,
  copies: usize,
  stride: usize,
  scratch: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(rows > 0 && features > 0);
  const row = features * inner;
  if (copies * inner === 1) {
    rowsMoments(x, rows, row, stride, scratch, mean, m2, count);
    return;
  }
  const tall = rows / copies;
  const done = tall * copies;
  if (tall) {
    wideMoments(x, tall, features, inner, row * copies, stride * copies, scratch, mean, m2, count);
    count += <f64>(done * inner);
  }
  if (done < rows) {
    wideMoments(x + done * stride, rows - done, features, inner, row, stride, scratch, mean, m2, count);
  }
}

/** The moments of rows in which every feature stands more than once: those of the columns, then merged. */
function wideMoments(
  x: usize,
  rows: usize,
  features: usize,
  inner: usize,
  columns: usize,
  stride: usize,
  scratch: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  const wideMean = wideOf(scratch, columns);
  const wideM2 = wideMean + (groups(columns) << 6);
  rowsMoments(x, rows, columns, stride, scratch, wideMean, wideM2, 0);
  tileMoments(wideMean, wideM2, <f64>rows, features, inner, columns, mean, m2, count);
}

/**
 * The moments of rows × columns values.
 *
 * One pass, shifted by the running mean, in f32 with flushes to f64 (Chan, Golub & LeVeque 1983).
 * A block is at most 4 times what came before it, so that Σ(x − K)² ≤ 5·m2: the shift can amplify
 * rounding at most fivefold, whatever the data. The work table holds a shift K, S = Σ(x − K) and Q = Σ(x − K)².
 */
function rowsMoments(
  x: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  work: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  if (count === 0 && rows < FEW) {
    rowsMomentsExact(x, rows, columns, stride, work, mean, m2, count);
    return;
  }
  const quarter = rows >> 2;
  const span = quarter * stride;
  const rest = rows & 3;

  if (count === 0) {
    seed(x, columns, stride, work, span);
    memory.fill(mean, 0, groups(columns) << 6);
    memory.fill(m2, 0, groups(columns) << 6);
  } else {
    emptySums(columns, work, mean);
  }

  let pending: f64 = 0;
  if (rest) {
    columnsSums1(x + (span << 2), rest, columns, stride, work);
    pending = <f64>rest;
  }
  let left = quarter;
  while (left > 0) {
    const block = min(left, count === 0 ? 8 : count < <f64>FLUSH ? <usize>count : FLUSH);
    columnsSums4(x, block, columns, stride, work, span);
    pending += <f64>(block << 2);
    flush(columns, work, mean, m2, count, pending);
    count += pending;
    pending = 0;
    x += block * stride;
    left -= block;
  }
  if (pending > 0) flush(columns, work, mean, m2, count, pending);
}

/** K := the mean of 4 rows of each stream, summed as a tree, so that equal values give exactly their value. */
function seed(x: usize, columns: usize, stride: usize, work: usize, span: usize): void {
  const zero = f32x4.splat(0);
  let left = groups(columns) << 1;
  do {
    const two = f32x4.add(across(x, span), across(x + stride, span));
    const four = f32x4.add(across(x + 2 * stride, span), across(x + 3 * stride, span));
    v128.store(work, f32x4.mul(f32x4.add(two, four), f32x4.splat(1.0 / 16.0)));
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += nextHalf(left, GROUP);
    x += 16;
  } while (--left);
}

/** The sum of 4 columns over one row of each stream. */
function across(x: usize, span: usize): v128 {
  const two = f32x4.add(v128.load(x), v128.load(x + span));
  return f32x4.add(two, f32x4.add(v128.load(x + 2 * span), v128.load(x + 3 * span)));
}

/** S and Q over `rows` rows of each of 4 streams, `span` bytes apart. */
export function columnsSums4(
  x: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  work: usize,
  span: usize,
): void {
  const end = work + groups(columns) * GROUP;
  const skip = stride - (groups(columns) << 5);
  do {
    let w = work;
    do {
      const x1 = x + span;
      const x2 = x1 + span;
      const x3 = x2 + span;
      sums4(w, v128.load(x), v128.load(x1), v128.load(x2), v128.load(x3));
      sums4(w + 16, v128.load(x, 16), v128.load(x1, 16), v128.load(x2, 16), v128.load(x3, 16));
      x += 32;
      w += GROUP;
    } while (w < end);
    x += skip;
  } while (--rows);
}

/** S and Q over `rows` rows in sequence: what is left of rows / 4. */
export function columnsSums1(x: usize, rows: usize, columns: usize, stride: usize, work: usize): void {
  const end = work + groups(columns) * GROUP;
  const skip = stride - (groups(columns) << 5);
  do {
    let w = work;
    do {
      sums1(w, v128.load(x));
      sums1(w + 16, v128.load(x, 16));
      x += 32;
      w += GROUP;
    } while (w < end);
    x += skip;
  } while (--rows);
}

function sums4(work: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const k = v128.load(work);
  const a = f32x4.sub(x0, k);
  const b = f32x4.sub(x1, k);
  const c = f32x4.sub(x2, k);
  const d = f32x4.sub(x3, k);
  const s = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  const q = f32x4.add(
    f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)),
    f32x4.add(f32x4.mul(c, c), f32x4.mul(d, d)),
  );
  v128.store(work, f32x4.add(v128.load(work, 32), s), 32);
  v128.store(work, f32x4.add(v128.load(work, 64), q), 64);
}

function sums1(work: usize, x: v128): void {
  const a = f32x4.sub(x, v128.load(work));
  v128.store(work, f32x4.add(v128.load(work, 32), a), 32);
  v128.store(work, f32x4.add(v128.load(work, 64), f32x4.mul(a, a)), 64);
}

/** Merges `pending` samples' S and Q into moments of `count`; K := the new mean, S = Q = 0. */
function flush(columns: usize, work: usize, mean: usize, m2: usize, count: f64, pending: f64): void {
  const i = inverse(pending);
  const w = weight(count, pending);
  const b = between(count, pending);
  const zero = f32x4.splat(0);
  let left = groups(columns) << 1;
  do {
    const k = v128.load(work);
    const s = v128.load(work, 32);
    const q = v128.load(work, 64);
    const m0 = merge(mean, m2, lower(k), lower(s), lower(q), i, w, b);
    const m1 = merge(mean + 16, m2 + 16, upper(k), upper(s), upper(q), i, w, b);
    v128.store(work, narrow(m0, m1));
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += nextHalf(left, GROUP);
    mean += 32;
    m2 += 32;
  } while (--left);
}

/**
 * The same moments in f64 throughout, about 2.4 times slower: for features that f32 sums cannot hold
 * (|x − mean| beyond 10¹⁷ or below 10⁻¹⁹).
 */
export function columnsMomentsExact(
  x: usize,
  rows: usize,
  features: usize,
  inner: usize,
  stride: usize,
  scratch: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(rows > 0 && features > 0);
  if (inner > 1) planesMomentsExact(x, rows, features, inner, mean, m2, count);
  else rowsMomentsExact(x, rows, features, stride, scratch, mean, m2, count);
}

/** With K = the mean so far and Δ = S/(count + rows): mean = K + Δ, m2 += Q − S·Δ. */
function rowsMomentsExact(
  x: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  sums: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  if (count === 0) memory.fill(m2, 0, groups(columns) << 6);
  for (let j: usize = 0; j < columns; j++) {
    const at = j << 3;
    const first = count > 0 ? load<f64>(mean + at) : <f64>load<f32>(x + (j << 2));
    const k = Number.isFinite(first) ? first : 0;
    store<f64>(mean + at, k);
    // A mean that is infinite stays so.
    store<f64>(sums + at, count > 0 ? first - k : 0);
  }
  for (let row = x, left = rows; left > 0; left--, row += stride) {
    for (let j: usize = 0; j < columns; j += 2) {
      const at = j << 3;
      const pair = f64x2.promote_low_f32x4(v128.load64_zero(row + (j << 2)));
      const d = f64x2.sub(pair, v128.load(mean + at));
      v128.store(sums + at, f64x2.add(v128.load(sums + at), d));
      v128.store(m2 + at, f64x2.add(v128.load(m2 + at), f64x2.mul(d, d)));
    }
  }
  for (let j: usize = 0; j < columns; j++) {
    const at = j << 3;
    const s = load<f64>(sums + at);
    const delta = s / (count + <f64>rows);
    store<f64>(mean + at, load<f64>(mean + at) + delta);
    store<f64>(m2 + at, max(load<f64>(m2 + at) - s * delta, 0));
  }
}
