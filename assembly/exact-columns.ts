// Moments of columns in f64: see exact.ts. Rows are walked in four far streams: see moments-columns.ts.

import {
  again,
  far,
  flush,
  fours,
  isMasked,
  odd,
  Pair,
  STATE,
  SUMS,
  seenOf,
  setMasked,
  setSeen,
  stateOf,
  sumsOf,
} from "./exact";
import { nextHalf } from "./table";

/** Rows per stream of the first block, and of the longest. */
const FIRST: usize = 16;
const LONGEST: usize = 128;

/**
 * Takes rows × columns values of `bytes` bytes. `copies` rows are read as one, and have columns of their own. With
 * `skip` NaN is left out: a block in which one shows is summed again, and from then on all are masked.
 *
 * Reads up to 24 bytes past the last row.
 */
export function columnsExact(
  x: usize,
  rows: usize,
  columns: usize,
  copies: usize,
  stride: usize,
  bytes: usize,
  skip: bool,
  work: usize,
): void {
  assert(rows > 0 && columns > 0 && (bytes === 4 || bytes === 8));
  const tall = rows / copies;
  if (tall) rowsExact(x, tall, columns * copies, stride * copies, bytes, skip, work);
  // What is left of rows / copies is one row of fewer columns.
  x += tall * copies * stride;
  const rest = (rows - tall * copies) * columns;
  if (rest === 0) return;
  const sums = sumsOf(work, 0);
  const state = stateOf(work, columns * copies, 0);
  const whole = rest & ~3;
  seed(x, 1, rest, 0, bytes, sums);
  if (whole) sumRows1(x, 1, whole >> 2, 0, bytes, skip, sums, state);
  for (let j = whole; j < rest; j++) {
    const value = bytes === 4 ? <f64>load<f32>(x + (j << 2)) : load<f64>(x + (j << 3));
    if (skip && Number.isNaN(value)) continue;
    const lane = sumsOf(work, j);
    const d = value - load<f64>(lane);
    store<f64>(lane, d, 32);
    store<f64>(lane, d * d, 64);
    store<f64>(stateOf(work, columns * copies, j), 1);
  }
  flush(sums, state, fours(rest), 0);
}

function rowsExact(
  x: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  bytes: usize,
  skip: bool,
  work: usize,
): void {
  const groups = fours(columns);
  const sums = sumsOf(work, 0);
  const state = stateOf(work, columns, 0);
  const span = (rows >> 2) * stride;
  let seen = seenOf(work);
  let left = rows >> 2;
  let rest = rows & 3;
  do {
    const most = seen === 0 ? FIRST : seen < <f64>LONGEST ? <usize>seen : LONGEST;
    const block = min(left, most);
    const first = seen === 0;
    let masked = isMasked(work);
    let centered = !first && !masked;
    let pending: f64;
    for (;;) {
      if (first || masked) seed(x, masked ? max(block, 1) : 1, columns, stride, bytes, sums);
      pending = sumBlock(x, block, groups, stride, span, rest, bytes, skip, masked, sums, state);
      if (skip && !masked && odd(sums, columns)) {
        setMasked(work);
        masked = true;
        centered = false;
      } else {
        if (centered || !far(sums, state, columns, pending, first ? 16 : 2)) break;
        centered = true;
      }
      again(sums, state, groups, pending);
    }
    flush(sums, state, groups, pending);
    seen += <f64>((block << 2) + rest);
    x += block * stride;
    left -= block;
    rest = 0;
  } while (left > 0);
  setSeen(work, seen);
}

/**
 * The sums of `block` rows of each stream, and of what is `rest` behind the last one. Returns how many rows of them are
 * not in N.
 */
function sumBlock(
  x: usize,
  block: usize,
  groups: usize,
  stride: usize,
  span: usize,
  rest: usize,
  bytes: usize,
  skip: bool,
  masked: bool,
  sums: usize,
  state: usize,
): f64 {
  // Only the first block has a rest, and x is where the first stream begins.
  if (rest) sumRows1(x + (span << 2), rest, groups, stride, bytes, skip, sums, state);
  if (block === 0) return 0;
  if (masked) {
    for (let stream = 0; stream < 4; stream++) {
      sumRows1(x, block, groups, stride, bytes, true, sums, state);
      x += span;
    }
    return 0;
  }
  if (bytes === 4) floatRows4(x, block, groups, stride, span, sums);
  else doubleRows4(x, block, groups, stride, span, sums);
  return <f64>(block << 2);
}

function sumRows1(
  x: usize,
  rows: usize,
  groups: usize,
  stride: usize,
  bytes: usize,
  skip: bool,
  sums: usize,
  state: usize,
): void {
  if (bytes === 4) floatRows1(x, rows, groups, stride, skip, sums, state);
  else doubleRows1(x, rows, groups, stride, skip, sums, state);
}

// Exported only to stay functions: see blocks.ts.

export function floatRows4(
  x: usize,
  rows: usize,
  groups: usize,
  stride: usize,
  span: usize,
  sums: usize,
): void {
  Rows.four<f32>(x, rows, groups, stride, span, sums);
}

export function doubleRows4(
  x: usize,
  rows: usize,
  groups: usize,
  stride: usize,
  span: usize,
  sums: usize,
): void {
  Rows.four<f64>(x, rows, groups, stride, span, sums);
}

export function floatRows1(
  x: usize,
  rows: usize,
  groups: usize,
  stride: usize,
  skip: bool,
  sums: usize,
  state: usize,
): void {
  Rows.one<f32>(x, rows, groups, stride, skip, sums, state);
}

export function doubleRows1(
  x: usize,
  rows: usize,
  groups: usize,
  stride: usize,
  skip: bool,
  sums: usize,
  state: usize,
): void {
  Rows.one<f64>(x, rows, groups, stride, skip, sums, state);
}

class Rows {
  /** S and Q over `rows` rows of each of 4 streams, `span` bytes apart. */
  @inline static four<Value extends number>(
    x: usize,
    rows: usize,
    groups: usize,
    stride: usize,
    span: usize,
    sums: usize,
  ): void {
    const end = sums + groups * SUMS;
    const skip = stride - groups * 4 * sizeof<Value>();
    do {
      let t = sums;
      do {
        Rows.four2<Value>(x, span, t);
        Rows.four2<Value>(x + 2 * sizeof<Value>(), span, t + 16);
        x += 4 * sizeof<Value>();
        t += SUMS;
      } while (t < end);
      x += skip;
    } while (--rows);
  }

  /** Two columns of one row of each stream. */
  @inline static four2<Value extends number>(x: usize, span: usize, sums: usize): void {
    const x1 = x + span;
    const x2 = x1 + span;
    const k = v128.load(sums);
    const a = f64x2.sub(Pair.load<Value>(x), k);
    const b = f64x2.sub(Pair.load<Value>(x1), k);
    const c = f64x2.sub(Pair.load<Value>(x2), k);
    const d = f64x2.sub(Pair.load<Value>(x2 + span), k);
    const s = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
    const q = f64x2.add(
      f64x2.add(f64x2.mul(a, a), f64x2.mul(b, b)),
      f64x2.add(f64x2.mul(c, c), f64x2.mul(d, d)),
    );
    v128.store(sums, f64x2.add(v128.load(sums, 32), s), 32);
    v128.store(sums, f64x2.add(v128.load(sums, 64), q), 64);
  }

  /** N, S and Q over `rows` rows in sequence; with `skip` without NaN. */
  @inline static one<Value extends number>(
    x: usize,
    rows: usize,
    groups: usize,
    stride: usize,
    skip: bool,
    sums: usize,
    state: usize,
  ): void {
    const end = sums + groups * SUMS;
    const next = stride - groups * 4 * sizeof<Value>();
    const all = i64x2.splat(skip ? 0 : -1);
    do {
      let t = sums;
      let n = state;
      do {
        Rows.one2<Value>(x, all, t, n);
        Rows.one2<Value>(x + 2 * sizeof<Value>(), all, t + 16, n + 16);
        x += 4 * sizeof<Value>();
        t += SUMS;
        n += STATE;
      } while (t < end);
      x += next;
    } while (--rows);
  }

  @inline static one2<Value extends number>(x: usize, all: v128, sums: usize, state: usize): void {
    const value = Pair.load<Value>(x);
    const taken = v128.or(f64x2.eq(value, value), all);
    const d = v128.and(f64x2.sub(value, v128.load(sums)), taken);
    v128.store(sums, f64x2.add(v128.load(sums, 32), d), 32);
    v128.store(sums, f64x2.add(v128.load(sums, 64), f64x2.mul(d, d)), 64);
    v128.store(state, f64x2.add(v128.load(state), v128.and(f64x2.splat(1), taken)));
  }
}

/** Where no shift has been found: K := the column's first finite value in these rows, or 0. */
function seed(x: usize, rows: usize, columns: usize, stride: usize, bytes: usize, sums: usize): void {
  for (let left = rows; ; left--) {
    let value = x;
    let t = sums;
    let all = true;
    for (let halves = fours(columns) << 1; halves > 0; halves--) {
      const v = bytes === 4 ? Pair.load<f32>(value) : Pair.load<f64>(value);
      const k = v128.load(t);
      const known = f64x2.eq(k, k);
      const shift = v128.bitselect(k, v, v128.or(known, v128.not(Pair.isFinite(v))));
      // After the last row: 0 in place of NaN.
      v128.store(t, left === 1 ? v128.and(shift, f64x2.eq(shift, shift)) : shift);
      if (!v128.all_true<i64>(known)) all = false;
      value += bytes << 1;
      t += nextHalf(halves, SUMS);
    }
    if (left === 1 || all) return;
    x += stride;
  }
}
