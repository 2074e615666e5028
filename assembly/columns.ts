// Columns: features last. x is rows × features, `stride` bytes from one row to the next.
//
// Rows i, i + rows/4, i + rows/2, i + 3·rows/4 are walked together ("far streams"): four rows share
// each load of the table, and the prefetcher sees four sequential streams. Four adjacent rows are as
// fast in cache and 3.5 times slower beyond it (0.52 against 0.15 ns per element on 64 MB).
//
// Loops are `do … while`: V8 hoists loop invariants out of those only. Block functions are
// called for at most 64 KB per stream, so that optimized code takes over within the first long call.

import { Added, after, afterLane, Bare, Clamped, clamps } from "./after";
import { between, inverse, merge, weight } from "./merge";
import { affine, high, low, narrow } from "./vector";

/** Bytes of a table per group of 8 features: three rows of 8 f32 behind one pointer. */
const GROUP: usize = 96;

/** Rows per stream between two flushes to f64: 16 keep the variance within 5·10⁻⁷ on the worst data found
 *  (two values in turn, heavy tails); 64 would be 6 to 12 % faster and twice beyond it. */
const FLUSH: usize = 16;

/** Rows that are summed in f64 at once: so few give no shift near the mean, and cost little. */
const FEW: usize = 16;

/** Out of place beyond this size, two streams: four are 15 to 40 % slower there. */
const FAR: usize = 6 << 20;

function groups(features: usize): usize {
  return (features + 7) >> 3;
}

// ------------------------------------------------------------------------------------ reduce
// The work table holds [K | S | Q] per group: a shift K, S = Σ(x − K) and Q = Σ(x − K)².

/**
 * Adds rows × features values to the moments: per feature the mean, and m2 = Σ(x − mean)².
 * `count` samples per feature are in them already; 0 starts anew.
 *
 * One pass, shifted by the running mean, in f32 with flushes to f64 (Chan, Golub & LeVeque 1983).
 * A block is at most 4 times what came before it, so that Σ(x − K)² ≤ 5·m2: the shift can amplify
 * rounding at most fivefold, whatever the data. Reads up to 28 bytes past the last row.
 */
export function columnsMoments(
  x: usize,
  rows: usize,
  features: usize,
  stride: usize,
  work: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(rows > 0 && features > 0);
  if (count === 0 && rows < FEW) {
    columnsMomentsExact(x, rows, features, stride, work, mean, m2, count);
    return;
  }
  const quarter = rows >> 2;
  const span = quarter * stride;
  const rest = rows & 3;

  if (count === 0) {
    seed(x, features, stride, work, span);
    memory.fill(mean, 0, groups(features) << 6);
    memory.fill(m2, 0, groups(features) << 6);
  } else {
    resume(features, work, mean);
  }

  let pending: f64 = 0;
  if (rest) {
    columnsSums1(x + (span << 2), rest, features, stride, work);
    pending = <f64>rest;
  }
  let left = quarter;
  while (left > 0) {
    const block = min(left, count === 0 ? 8 : count < <f64>FLUSH ? <usize>count : FLUSH);
    columnsSums4(x, block, features, stride, work, span);
    pending += <f64>(block << 2);
    flush(features, work, mean, m2, count, pending);
    count += pending;
    pending = 0;
    x += block * stride;
    left -= block;
  }
  if (pending > 0) flush(features, work, mean, m2, count, pending);
}

/** K := the mean of 4 rows of each stream, summed as a tree, so that equal values give exactly their value. */
function seed(x: usize, features: usize, stride: usize, work: usize, span: usize): void {
  const zero = f32x4.splat(0);
  let left = groups(features) << 1;
  do {
    const two = f32x4.add(across(x, span), across(x + stride, span));
    const four = f32x4.add(across(x + 2 * stride, span), across(x + 3 * stride, span));
    v128.store(work, f32x4.mul(f32x4.add(two, four), f32x4.splat(1.0 / 16.0)));
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += left & 1 ? GROUP - 16 : 16;
    x += 16;
  } while (--left);
}

/** The sum of 4 columns over one row of each stream. */
function across(x: usize, span: usize): v128 {
  const two = f32x4.add(v128.load(x), v128.load(x + span));
  return f32x4.add(two, f32x4.add(v128.load(x + 2 * span), v128.load(x + 3 * span)));
}

/** K := the running mean. */
function resume(features: usize, work: usize, mean: usize): void {
  const zero = f32x4.splat(0);
  let left = groups(features) << 1;
  do {
    v128.store(work, narrow(v128.load(mean), v128.load(mean, 16)));
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += left & 1 ? GROUP - 16 : 16;
    mean += 32;
  } while (--left);
}

/** S and Q over `rows` rows of each of 4 streams, `span` bytes apart. */
export function columnsSums4(
  x: usize,
  rows: usize,
  features: usize,
  stride: usize,
  work: usize,
  span: usize,
): void {
  const end = work + groups(features) * GROUP;
  const skip = stride - (groups(features) << 5);
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
export function columnsSums1(x: usize, rows: usize, features: usize, stride: usize, work: usize): void {
  const end = work + groups(features) * GROUP;
  const skip = stride - (groups(features) << 5);
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
function flush(features: usize, work: usize, mean: usize, m2: usize, count: f64, pending: f64): void {
  const i = inverse(pending);
  const w = weight(count, pending);
  const b = between(count, pending);
  const zero = f32x4.splat(0);
  let left = groups(features) << 1;
  do {
    const k = v128.load(work);
    const s = v128.load(work, 32);
    const q = v128.load(work, 64);
    const m0 = merge(mean, m2, low(k), low(s), low(q), i, w, b);
    const m1 = merge(mean + 16, m2 + 16, high(k), high(s), high(q), i, w, b);
    v128.store(work, narrow(m0, m1));
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += left & 1 ? GROUP - 16 : 16;
    mean += 32;
    m2 += 32;
  } while (--left);
}

/**
 * The same moments in f64 throughout, about 2.4 times slower: for features that f32 sums cannot hold
 * (|x − mean| beyond 10¹⁷ or below 10⁻¹⁹). `sums` has room for one f64 per feature.
 *
 * With K = the mean so far and Δ = S/(count + rows): mean = K + Δ, m2 += Q − S·Δ.
 */
export function columnsMomentsExact(
  x: usize,
  rows: usize,
  features: usize,
  stride: usize,
  sums: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  assert(rows > 0 && features > 0);
  if (count === 0) {
    for (let j: usize = 0; j < features; j++) {
      const first = <f64>load<f32>(x + (j << 2));
      store<f64>(mean + (j << 3), Number.isFinite(first) ? first : 0);
    }
    memory.fill(m2, 0, groups(features) << 6);
  }
  memory.fill(sums, 0, groups(features) << 6);
  for (let row = x, left = rows; left > 0; left--, row += stride) {
    for (let j: usize = 0; j < features; j += 2) {
      const at = j << 3;
      const pair = f64x2.promote_low_f32x4(v128.load64_zero(row + (j << 2)));
      const d = f64x2.sub(pair, v128.load(mean + at));
      v128.store(sums + at, f64x2.add(v128.load(sums + at), d));
      v128.store(m2 + at, f64x2.add(v128.load(m2 + at), f64x2.mul(d, d)));
    }
  }
  for (let j: usize = 0; j < features; j++) {
    const at = j << 3;
    const s = load<f64>(sums + at);
    const delta = s / (count + <f64>rows);
    store<f64>(mean + at, load<f64>(mean + at) + delta);
    store<f64>(m2 + at, max(load<f64>(m2 + at) - s * delta, 0));
  }
}

// ------------------------------------------------------------------------------------- apply
// The table holds [center | scale | shift] per group.

/**
 * y = (x − center)·scale + shift per feature, for rows × features values; y may be x. Then, see after.ts,
 * plus `residual` unless that is 0, and clamped to low … high.
 */
export function columnsApply(
  x: usize,
  y: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
  residual: usize,
  low: f32,
  high: f32,
): void {
  assert(rows > 0 && features > 0);
  if (residual) applyRows<Added>(x, y - x, rows, features, stride, table, residual - x, low, high);
  else if (clamps(low, high)) applyRows<Clamped>(x, y - x, rows, features, stride, table, 0, low, high);
  else applyRows<Bare>(x, y - x, rows, features, stride, table, 0, low, high);
}

/** All rows, y `delta` and the residual `beside` bytes from x. */
function applyRows<After>(
  x: usize,
  delta: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
  beside: usize,
  low: f32,
  high: f32,
): void {
  const block = max<usize>(65536 / stride, 1);
  // A residual is a third stream to each row's two: twice as many are enough for the prefetcher.
  const few = idof<After>() === idof<Added>() || (delta !== 0 && rows * stride > FAR);
  const streams: usize = few ? 2 : 4;
  const span = (rows / streams) * stride;
  const rest = rows % streams;
  const last = x + span * streams;
  for (let left = rows / streams; left > 0; ) {
    const count = min(left, block);
    // A loop of its own in place needs one register less: 0.097 against 0.100 ns per element in cache.
    if (idof<After>() === idof<Bare>() && delta === 0)
      applyStreams<i32, InPlace, After>(x, 0, count, features, stride, table, span, beside, low, high);
    else if (idof<After>() !== idof<Added>() && !few)
      applyStreams<i32, Apart, After>(x, delta, count, features, stride, table, span, beside, low, high);
    else applyStreams<i16, Apart, After>(x, delta, count, features, stride, table, span, beside, low, high);
    x += count * stride;
    left -= count;
  }
  if (rest) applyStreams<i8, Apart, After>(last, delta, rest, features, stride, table, 0, beside, low, high);
}

class InPlace {}
class Apart {}

/**
 * `rows` rows of each of sizeof<Streams>() streams, `span` bytes apart.
 * The type parameters are a number and switches that the compiler resolves.
 */
function applyStreams<Streams, Place, After>(
  x: usize,
  delta: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
  span: usize,
  beside: usize,
  low: f32,
  high: f32,
): void {
  const end = table + (features >> 3) * GROUP;
  const skip = stride - (features << 2);
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  do {
    let t = table;
    // Main loop: 8 columns of every stream.
    if (t < end) {
      do {
        const c0 = v128.load(t);
        const c1 = v128.load(t, 16);
        const s0 = v128.load(t, 32);
        const s1 = v128.load(t, 48);
        const b0 = v128.load(t, 64);
        const b1 = v128.load(t, 80);
        let at = x;
        apply4<Place, After>(at, delta, beside, c0, s0, b0, least, most);
        apply4<Place, After>(at + 16, delta, beside, c1, s1, b1, least, most);
        if (sizeof<Streams>() >= 2) {
          at += span;
          apply4<Place, After>(at, delta, beside, c0, s0, b0, least, most);
          apply4<Place, After>(at + 16, delta, beside, c1, s1, b1, least, most);
        }
        if (sizeof<Streams>() >= 4) {
          at += span;
          apply4<Place, After>(at, delta, beside, c0, s0, b0, least, most);
          apply4<Place, After>(at + 16, delta, beside, c1, s1, b1, least, most);
          at += span;
          apply4<Place, After>(at, delta, beside, c0, s0, b0, least, most);
          apply4<Place, After>(at + 16, delta, beside, c1, s1, b1, least, most);
        }
        x += 32;
        t += GROUP;
      } while (t < end);
    }
    // The last features % 8 columns: 4, then up to 3 through lanes.
    if (features & 7) {
      let row = x;
      for (let streams = sizeof<Streams>(); streams > 0; streams--) {
        let at = row;
        let r = t;
        if (features & 4) {
          apply4<Apart, After>(
            at,
            delta,
            beside,
            v128.load(r),
            v128.load(r, 32),
            v128.load(r, 64),
            least,
            most,
          );
          at += 16;
          r += 16;
        }
        for (let left = features & 3; left > 0; left--) {
          const v = affine(v128.load32_zero(at), v128.load(r), v128.load(r, 32), v128.load(r, 64));
          v128.store32_lane(at + delta, afterLane<After>(v, at + beside, least, most), 0);
          at += 4;
          r += 4;
        }
        row += span;
      }
      x += (features & 7) << 2;
    }
    x += skip;
  } while (--rows);
}

/** 4 columns of one row. */
function apply4<Place, After>(
  x: usize,
  delta: usize,
  beside: usize,
  center: v128,
  scale: v128,
  shift: v128,
  low: v128,
  high: v128,
): void {
  const y = idof<Place>() === idof<InPlace>() ? x : x + delta;
  const v = affine(v128.load(x), center, scale, shift);
  v128.store(y, after<After>(v, x + beside, low, high));
}

// ------------------------------------------------------------------------------------- tiles
// Narrow rows are read as wider ones: rows × features is also rows/k × features·k, whose feature j is
// feature (j / inner) % features of the original (inner > 1: small planes, read as columns).

/** The table of the wider view; a group of 8 features takes `group` bytes of it. */
export function tileTable(
  table: usize,
  features: usize,
  inner: usize,
  width: usize,
  wide: usize,
  group: usize,
): void {
  for (let j: usize = 0; j < width; j++) {
    const feature = (j / inner) % features;
    const from = table + (feature >> 3) * group + ((feature & 7) << 2);
    const to = wide + (j >> 3) * group + ((j & 7) << 2);
    for (let row: usize = 0; row < group; row += 32) store<f32>(to + row, load<f32>(from + row));
  }
}

/** Merges the moments of the wider view, `rows` samples each, into those of the features, `count` samples each. */
export function tileMoments(
  wideMean: usize,
  wideM2: usize,
  rows: f64,
  features: usize,
  inner: usize,
  width: usize,
  mean: usize,
  m2: usize,
  count: f64,
): void {
  const period = features * inner;
  for (let feature: usize = 0; feature < features; feature++) {
    let n = count;
    let center = count === 0 ? 0 : load<f64>(mean + (feature << 3));
    let squares = count === 0 ? 0 : load<f64>(m2 + (feature << 3));
    for (let first = feature * inner; first < width; first += period) {
      for (let j = first; j < first + inner; j++) {
        const e = load<f64>(wideMean + (j << 3)) - center;
        const weight = rows / (n + rows);
        center += e * weight;
        squares += load<f64>(wideM2 + (j << 3)) + e * e * n * weight;
        n += rows;
      }
    }
    store<f64>(mean + (feature << 3), center);
    store<f64>(m2 + (feature << 3), squares);
  }
}
