// Minimum and maximum per feature, of f32 or f64 values, and how many are not NaN, which is ignored. The table begins
// with noExtrema: infinities that every value replaces, and a count of 0. A group of it is a row of 32 bytes for each of
// [min | max | count]: 8 columns of f32, whose counts are i32, or 4 of f64, whose counts are i64.
//
// pmin(m, x) is x < m ? x : m: one instruction, where f32x4.min takes six, and false for NaN, so that m
// stays. Values are chained into m one by one: pmin(a, b) of two values loses b when a is NaN.

import { GROUP } from "./table";

/** Groups of so many columns. */
function groupsOf(columns: usize, bytes: usize): usize {
  return (columns * bytes + 31) >> 5;
}

function laneOf(table: usize, column: usize, bytes: usize): usize {
  const at = column * bytes;
  return table + (at >> 5) * GROUP + (at & 31);
}

/** The table of no values at all. */
export function noExtrema(table: usize, columns: usize, bytes: usize): void {
  assert(columns > 0 && (bytes === 4 || bytes === 8));
  const most = bytes === 4 ? f32x4.splat(Infinity) : f64x2.splat(Infinity);
  const least = bytes === 4 ? f32x4.splat(-Infinity) : f64x2.splat(-Infinity);
  const zero = i32x4.splat(0);
  const end = table + groupsOf(columns, bytes) * GROUP;
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
 * Takes rows × columns values of `bytes` bytes into the table, in far streams (see moments-columns.ts). `copies` rows
 * are read as one, and have columns of their own in the table. Reads up to 28 bytes past the last row.
 */
export function columnsExtrema(
  x: usize,
  rows: usize,
  columns: usize,
  copies: usize,
  stride: usize,
  bytes: usize,
  table: usize,
): void {
  assert(rows > 0 && columns > 0 && (bytes === 4 || bytes === 8));
  const tall = rows / copies;
  if (tall) rowsExtrema(x, tall, columns * copies, stride * copies, bytes, table);
  // What is left of rows / copies is one row of fewer columns. Behind its last stand those of the tall rows, so that
  // nothing past it may be taken.
  x += tall * copies * stride;
  const rest = (rows - tall * copies) * columns;
  const whole = rest & ~(32 / bytes - 1);
  if (whole) rows1(x, 1, groupsOf(whole, bytes), 0, bytes, table);
  for (let j = whole; j < rest; j++) {
    if (bytes === 4) Ends.lane<f32>(x + (j << 2), laneOf(table, j, 4));
    else Ends.lane<f64>(x + (j << 3), laneOf(table, j, 8));
  }
}

function rowsExtrema(x: usize, rows: usize, columns: usize, stride: usize, bytes: usize, table: usize): void {
  const groups = groupsOf(columns, bytes);
  const quarter = rows >> 2;
  const span = quarter * stride;
  const block = max<usize>(65536 / stride, 1);
  if (rows & 3) rows1(x + (span << 2), rows & 3, groups, stride, bytes, table);
  for (let left = quarter; left > 0; ) {
    const count = min(left, block);
    if (bytes === 4) floatEnds4(x, count, groups, stride, span, table);
    else doubleEnds4(x, count, groups, stride, span, table);
    x += count * stride;
    left -= count;
  }
}

/** `rows` rows in sequence. */
function rows1(x: usize, rows: usize, groups: usize, stride: usize, bytes: usize, table: usize): void {
  const skip = stride - (groups << 5);
  do {
    let t = table;
    for (const end = table + groups * GROUP; t < end; t += GROUP, x += 32) {
      if (bytes === 4) {
        Ends.one<f32>(x, t);
        Ends.one<f32>(x + 16, t + 16);
      } else {
        Ends.one<f64>(x, t);
        Ends.one<f64>(x + 16, t + 16);
      }
    }
    x += skip;
  } while (--rows);
}

// Exported only to stay functions: see blocks.ts.

export function floatEnds4(
  x: usize,
  rows: usize,
  groups: usize,
  stride: usize,
  span: usize,
  table: usize,
): void {
  Ends.rows<f32>(x, rows, groups, stride, span, table);
}

export function doubleEnds4(
  x: usize,
  rows: usize,
  groups: usize,
  stride: usize,
  span: usize,
  table: usize,
): void {
  Ends.rows<f64>(x, rows, groups, stride, span, table);
}

export function floatPlanesEnds(x: usize, planes: usize, inner: usize, table: usize, feature: usize): void {
  Ends.planes<f32>(x, planes, inner, table, feature);
}

export function doublePlanesEnds(x: usize, planes: usize, inner: usize, table: usize, feature: usize): void {
  Ends.planes<f64>(x, planes, inner, table, feature);
}

class Ends {
  /** `rows` rows of each of 4 streams, `span` bytes apart. */
  @inline static rows<Value extends number>(
    x: usize,
    rows: usize,
    groups: usize,
    stride: usize,
    span: usize,
    table: usize,
  ): void {
    const end = table + groups * GROUP;
    const skip = stride - (groups << 5);
    do {
      let t = table;
      do {
        Ends.four<Value>(x, span, t);
        Ends.four<Value>(x + 16, span, t + 16);
        x += 32;
        t += GROUP;
      } while (t < end);
      x += skip;
    } while (--rows);
  }

  /** 16 bytes of one row of each stream. */
  @inline static four<Value extends number>(x: usize, span: usize, table: usize): void {
    const x1 = x + span;
    const x2 = x1 + span;
    const a = v128.load(x);
    const b = v128.load(x1);
    const c = v128.load(x2);
    const d = v128.load(x2 + span);
    v128.store(table, Ends.least<Value>(Ends.least<Value>(v128.load(table), a, b), c, d));
    v128.store(table, Ends.most<Value>(Ends.most<Value>(v128.load(table, 32), a, b), c, d), 32);
    const two = Ends.add<Value>(Ends.known<Value>(a), Ends.known<Value>(b));
    const four = Ends.add<Value>(two, Ends.add<Value>(Ends.known<Value>(c), Ends.known<Value>(d)));
    v128.store(table, Ends.sub<Value>(v128.load(table, 64), four), 64);
  }

  @inline static one<Value extends number>(x: usize, table: usize): void {
    const v = v128.load(x);
    v128.store(table, v128.pmin<Value>(v128.load(table), v));
    v128.store(table, v128.pmax<Value>(v128.load(table, 32), v), 32);
    v128.store(table, Ends.sub<Value>(v128.load(table, 64), Ends.known<Value>(v)), 64);
  }

  /** One value. */
  @inline static lane<Value extends number>(x: usize, lane: usize): void {
    const v = load<Value>(x);
    if (v < load<Value>(lane)) store<Value>(lane, v);
    if (v > load<Value>(lane, 32)) store<Value>(lane, v, 32);
    if (!Number.isNaN(v)) Ends.count<Value>(lane, 1);
  }

  /** The planes of one image. */
  @inline static planes<Value extends number>(
    x: usize,
    planes: usize,
    inner: usize,
    table: usize,
    feature: usize,
  ): void {
    do {
      Ends.plane<Value>(x, inner, laneOf(table, feature, sizeof<Value>()));
      x += inner * sizeof<Value>();
      feature++;
    } while (--planes);
  }

  /** A plane of `length` values: 64 bytes in two chains, then up to 3 vectors, then single values. */
  @inline static plane<Value extends number>(x: usize, length: usize, lane: usize): void {
    const end = x + length * sizeof<Value>();
    const whole = x + ((length * sizeof<Value>()) & ~63);
    let a = sizeof<Value>() === 4 ? v128.load32_splat(lane) : v128.load64_splat(lane);
    let b = sizeof<Value>() === 4 ? v128.load32_splat(lane, 32) : v128.load64_splat(lane, 32);
    let a1 = a;
    let b1 = b;
    let n = i32x4.splat(0);
    if (x < whole) {
      do {
        const v0 = v128.load(x);
        const v1 = v128.load(x, 16);
        const v2 = v128.load(x, 32);
        const v3 = v128.load(x, 48);
        a = Ends.least<Value>(a, v0, v2);
        a1 = Ends.least<Value>(a1, v1, v3);
        b = Ends.most<Value>(b, v0, v2);
        b1 = Ends.most<Value>(b1, v1, v3);
        const two = Ends.add<Value>(Ends.known<Value>(v0), Ends.known<Value>(v1));
        const four = Ends.add<Value>(two, Ends.add<Value>(Ends.known<Value>(v2), Ends.known<Value>(v3)));
        n = Ends.sub<Value>(n, four);
        x += 64;
      } while (x < whole);
    }
    while (x + 16 <= end) {
      const v = v128.load(x);
      a = v128.pmin<Value>(a, v);
      b = v128.pmax<Value>(b, v);
      n = Ends.sub<Value>(n, Ends.known<Value>(v));
      x += 16;
    }
    // The chains hold no NaN, so that they may be compared in any order.
    a = v128.pmin<Value>(a, a1);
    b = v128.pmax<Value>(b, b1);
    a = v128.pmin<Value>(a, i64x2.shuffle(a, a, 1, 0));
    b = v128.pmax<Value>(b, i64x2.shuffle(b, b, 1, 0));
    n = Ends.add<Value>(n, i64x2.shuffle(n, n, 1, 0));
    if (sizeof<Value>() === 4) {
      v128.store32_lane(lane, f32x4.pmin(a, i32x4.shuffle(a, a, 1, 0, 3, 2)), 0);
      v128.store32_lane(lane, f32x4.pmax(b, i32x4.shuffle(b, b, 1, 0, 3, 2)), 0, 32);
      Ends.count<Value>(lane, i32x4.extract_lane(n, 0) + i32x4.extract_lane(n, 1));
    } else {
      v128.store64_lane(lane, a, 0);
      v128.store64_lane(lane, b, 0, 32);
      Ends.count<Value>(lane, i64x2.extract_lane(n, 0));
    }
    for (; x < end; x += sizeof<Value>()) Ends.lane<Value>(x, lane);
  }

  @inline static least<Value extends number>(m: v128, v: v128, w: v128): v128 {
    return v128.pmin<Value>(v128.pmin<Value>(m, v), w);
  }

  @inline static most<Value extends number>(m: v128, v: v128, w: v128): v128 {
    return v128.pmax<Value>(v128.pmax<Value>(m, v), w);
  }

  /** −1 in the lanes that are not NaN. */
  @inline static known<Value extends number>(v: v128): v128 {
    return v128.eq<Value>(v, v);
  }

  @inline static add<Value extends number>(a: v128, b: v128): v128 {
    return sizeof<Value>() === 4 ? i32x4.add(a, b) : i64x2.add(a, b);
  }

  @inline static sub<Value extends number>(a: v128, b: v128): v128 {
    return sizeof<Value>() === 4 ? i32x4.sub(a, b) : i64x2.sub(a, b);
  }

  @inline static count<Value extends number>(lane: usize, more: i64): void {
    if (sizeof<Value>() === 4) store<i32>(lane, load<i32>(lane, 64) + <i32>more, 64);
    else store<i64>(lane, load<i64>(lane, 64) + more, 64);
  }
}

/**
 * Takes `images` images of `planes` planes of `inner` values, whose features start at `feature`, into the table.
 */
export function planesExtrema(
  x: usize,
  images: usize,
  planes: usize,
  inner: usize,
  bytes: usize,
  table: usize,
  feature: usize,
): void {
  assert(images > 0 && planes > 0 && inner > 0 && (bytes === 4 || bytes === 8));
  do {
    if (bytes === 4) floatPlanesEnds(x, planes, inner, table, feature);
    else doublePlanesEnds(x, planes, inner, table, feature);
    x += planes * inner * bytes;
  } while (--images);
}

/**
 * Reads a table of `columns` columns, of which column j is of feature (j / inner) % features, back: count, lowest and
 * highest value, f64 per feature.
 */
export function collectExtrema(
  table: usize,
  columns: usize,
  features: usize,
  inner: usize,
  bytes: usize,
  counts: usize,
  lowest: usize,
  highest: usize,
): void {
  assert(columns > 0 && features > 0);
  for (let feature: usize = 0; feature < features; feature++) {
    let n: i64 = 0;
    let least: f64 = Infinity;
    let most: f64 = -Infinity;
    for (let first = feature * inner; first < columns; first += features * inner) {
      for (let j = first; j < first + inner; j++) {
        const lane = laneOf(table, j, bytes);
        n += bytes === 4 ? <i64>load<u32>(lane, 64) : load<i64>(lane, 64);
        least = min(least, bytes === 4 ? <f64>load<f32>(lane) : load<f64>(lane));
        most = max(most, bytes === 4 ? <f64>load<f32>(lane, 32) : load<f64>(lane, 32));
      }
    }
    const at = feature << 3;
    store<f64>(counts + at, <f64>n);
    // −0 becomes 0, which equals it: the same number in whatever order they are met.
    store<f64>(lowest + at, least + 0);
    store<f64>(highest + at, most + 0);
  }
}
