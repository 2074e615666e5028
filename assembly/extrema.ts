// Minimum and maximum per feature, NaN ignored. The table begins with noExtrema: infinities that every value
// replaces, and a sum of 0 that only a NaN, or infinities of both signs, can turn into NaN.
//
// pmin(m, x) is x < m ? x : m: one instruction, where f32x4.min takes six, and false for NaN, so that m
// stays. Values are chained into m one by one: pmin(a, b) of two values loses b when a is NaN.

import { GROUP, groups, laneOf } from "./table";
import { horizontal } from "./vector";

/** The table of no values at all. */
export function noExtrema(table: usize, columns: usize): void {
  const most = f32x4.splat(Infinity);
  const least = f32x4.splat(-Infinity);
  const zero = f32x4.splat(0);
  const end = table + groups(columns) * GROUP;
  do {
    v128.store(table, most);
    v128.store(table, most, 16);
    v128.store(table, least, 32);
    v128.store(table, least, 48);
    v128.store(table, zero, 64);
    v128.store(table, zero, 80);
    table += GROUP;
  } while (table < end);
}

/**
 * Takes rows × columns values into the table, in far streams (see moments-columns.ts). `copies` rows are read as one,
 * and have columns of their own in the table. Reads up to 28 bytes past the last row.
 */
export function columnsExtrema(
  x: usize,
  rows: usize,
  columns: usize,
  copies: usize,
  stride: usize,
  table: usize,
): void {
  assert(rows > 0 && columns > 0);
  const tall = rows / copies;
  if (tall) rowsExtrema(x, tall, columns * copies, stride * copies, table);
  // What is left of rows / copies is one row of fewer columns. Behind its last stand those of the tall rows, so that
  // nothing past it may be taken.
  x += tall * copies * stride;
  const rest = (rows - tall * copies) * columns;
  const whole = rest & ~7;
  if (whole) columnsExtrema4(x, 1, whole, 0, table, 0);
  for (let j = whole; j < rest; j++) extremaLane(x + (j << 2), laneOf(table, j, GROUP));
}

/** One value. */
function extremaLane(x: usize, lane: usize): void {
  const v = v128.load32_zero(x);
  v128.store32_lane(lane, f32x4.pmin(v128.load32_zero(lane), v), 0);
  v128.store32_lane(lane, f32x4.pmax(v128.load32_zero(lane, 32), v), 0, 32);
  v128.store32_lane(lane, f32x4.add(v128.load32_zero(lane, 64), v), 0, 64);
}

function rowsExtrema(x: usize, rows: usize, columns: usize, stride: usize, table: usize): void {
  const quarter = rows >> 2;
  const span = quarter * stride;
  const block = max<usize>(65536 / stride, 1);
  // What is left of rows / 4: each row is seen four times, which changes nothing.
  if (rows & 3) columnsExtrema4(x + (span << 2), rows & 3, columns, stride, table, 0);
  for (let left = quarter; left > 0; ) {
    const count = min(left, block);
    columnsExtrema4(x, count, columns, stride, table, span);
    x += count * stride;
    left -= count;
  }
}

/** `rows` rows of each of 4 streams, `span` bytes apart. */
export function columnsExtrema4(
  x: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  table: usize,
  span: usize,
): void {
  const end = table + groups(columns) * GROUP;
  const skip = stride - (groups(columns) << 5);
  do {
    let t = table;
    do {
      extrema4(x, t, span);
      extrema4(x + 16, t + 16, span);
      x += 32;
      t += GROUP;
    } while (t < end);
    x += skip;
  } while (--rows);
}

/** 4 columns over one row of each stream. */
function extrema4(x: usize, table: usize, span: usize): void {
  const x1 = x + span;
  const x2 = x1 + span;
  const a = v128.load(x);
  const b = v128.load(x1);
  const c = v128.load(x2);
  const d = v128.load(x2 + span);
  const least = f32x4.pmin(f32x4.pmin(f32x4.pmin(f32x4.pmin(v128.load(table), a), b), c), d);
  const most = f32x4.pmax(f32x4.pmax(f32x4.pmax(f32x4.pmax(v128.load(table, 32), a), b), c), d);
  const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  v128.store(table, least);
  v128.store(table, most, 32);
  v128.store(table, f32x4.add(v128.load(table, 64), sum), 64);
}

/**
 * Takes `images` images of `planes` planes of `inner` values, whose features start at `feature`, into the table.
 */
export function planesExtrema(
  x: usize,
  images: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
): void {
  assert(images > 0 && planes > 0 && inner > 0);
  do {
    imageExtrema(x, planes, inner, table, feature);
    x += (planes * inner) << 2;
  } while (--images);
}

/** One image. */
export function imageExtrema(x: usize, planes: usize, inner: usize, table: usize, feature: usize): void {
  do {
    const t = laneOf(table, feature, GROUP);
    const end = x + (inner << 2);
    const end16 = x + ((inner & ~15) << 2);
    let a = v128.load32_splat(t);
    let b = v128.load32_splat(t, 32);
    let a1 = a;
    let b1 = b;
    let sum = v128.load32_zero(t, 64);
    // Main loop: 16 values in two chains; then up to 3 vectors, then up to 3 values.
    if (x < end16) {
      do {
        const v0 = v128.load(x);
        const v1 = v128.load(x, 16);
        const v2 = v128.load(x, 32);
        const v3 = v128.load(x, 48);
        a = f32x4.pmin(f32x4.pmin(a, v0), v2);
        a1 = f32x4.pmin(f32x4.pmin(a1, v1), v3);
        b = f32x4.pmax(f32x4.pmax(b, v0), v2);
        b1 = f32x4.pmax(f32x4.pmax(b1, v1), v3);
        sum = f32x4.add(sum, f32x4.add(f32x4.add(v0, v1), f32x4.add(v2, v3)));
        x += 64;
      } while (x < end16);
    }
    while (x + 12 < end) {
      const v = v128.load(x);
      a = f32x4.pmin(a, v);
      b = f32x4.pmax(b, v);
      sum = f32x4.add(sum, v);
      x += 16;
    }
    while (x < end) {
      const v = v128.load32_splat(x);
      a = f32x4.pmin(a, v);
      b = f32x4.pmax(b, v);
      sum = f32x4.add(sum, v);
      x += 4;
    }
    // The chains hold no NaN, so that they may be compared in any order.
    a = f32x4.pmin(a, a1);
    b = f32x4.pmax(b, b1);
    a = f32x4.pmin(a, i64x2.shuffle(a, a, 1, 0));
    b = f32x4.pmax(b, i64x2.shuffle(b, b, 1, 0));
    v128.store32_lane(t, f32x4.pmin(a, i32x4.shuffle(a, a, 1, 0, 3, 2)), 0);
    v128.store32_lane(t, f32x4.pmax(b, i32x4.shuffle(b, b, 1, 0, 3, 2)), 0, 32);
    v128.store32_lane(t, horizontal(sum), 0, 64);
    feature++;
  } while (--planes);
}

/**
 * Reads a table of `columns` columns, in which a feature may stand more than once, back: its lowest and highest
 * value, f64 per feature. Returns whether there may have been a NaN.
 */
export function collectExtrema(
  table: usize,
  columns: usize,
  features: usize,
  inner: usize,
  lowest: usize,
  highest: usize,
): bool {
  assert(columns > 0 && features > 0);
  let odd = false;
  for (let feature: usize = 0; feature < features; feature++) {
    let least = <f32>Infinity;
    let most = <f32>-Infinity;
    for (let first = feature * inner; first < columns; first += features * inner) {
      for (let j = first; j < first + inner; j++) {
        const lane = laneOf(table, j, GROUP);
        least = min(least, load<f32>(lane));
        most = max(most, load<f32>(lane, 32));
        if (Number.isNaN(load<f32>(lane, 64))) odd = true;
      }
    }
    store<f64>(lowest + (feature << 3), <f64>least);
    store<f64>(highest + (feature << 3), <f64>most);
  }
  return odd;
}
