// Apply: y = (x − center)·scale + shift per feature, y may be x. Then, see after.ts, plus `residual` unless that is
// 0, and clamped to low … high.
//
// Columns are walked in far streams (see moments-columns.ts), planes in memory order. Block functions are called
// for at most 64 KB per stream, so that optimized code takes over within the first long call.

import { Added, after, afterLane, Bare, Clamped, clamps } from "./after";
import { GROUP, laneOf } from "./table";
import { affine } from "./vector";

/** Out of place beyond this size, two streams: four are 15 to 40 % slower there. */
const FAR: usize = 6 << 20;

// ----------------------------------------------------------------------------------- columns

/**
 * rows × columns values, `stride` bytes from row to row. `copies` rows are read as one, for which the table is tiled.
 */
export function columnsApply(
  x: usize,
  y: usize,
  rows: usize,
  columns: usize,
  copies: usize,
  stride: usize,
  table: usize,
  residual: usize,
  low: f32,
  high: f32,
): void {
  assert(rows > 0 && columns > 0);
  const tall = rows / copies;
  if (tall) rowsApply(x, y, tall, columns * copies, stride * copies, table, residual, low, high);
  const done = tall * copies;
  if (done < rows) {
    const skip = done * stride;
    const rest = (rows - done) * columns;
    rowsApply(x + skip, y + skip, 1, rest, rest << 2, table, residual ? residual + skip : 0, low, high);
  }
}

/** rows × columns values, one table for every row. */
export function rowsApply(
  x: usize,
  y: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  table: usize,
  residual: usize,
  low: f32,
  high: f32,
): void {
  if (residual) applyRows<Added>(x, y - x, rows, columns, stride, table, residual - x, low, high);
  else if (clamps(low, high)) applyRows<Clamped>(x, y - x, rows, columns, stride, table, 0, low, high);
  else applyRows<Bare>(x, y - x, rows, columns, stride, table, 0, low, high);
}

/** rows × columns values, y `delta` and the residual `beside` bytes from x. */
function applyRows<After>(
  x: usize,
  delta: usize,
  rows: usize,
  columns: usize,
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
      applyStreams<i32, InPlace, After>(x, 0, count, columns, stride, table, span, beside, low, high);
    else if (idof<After>() !== idof<Added>() && !few)
      applyStreams<i32, Apart, After>(x, delta, count, columns, stride, table, span, beside, low, high);
    else applyStreams<i16, Apart, After>(x, delta, count, columns, stride, table, span, beside, low, high);
    x += count * stride;
    left -= count;
  }
  if (rest) applyStreams<i8, Apart, After>(last, delta, rest, columns, stride, table, 0, beside, low, high);
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
  columns: usize,
  stride: usize,
  table: usize,
  span: usize,
  beside: usize,
  low: f32,
  high: f32,
): void {
  const end = table + (columns >> 3) * GROUP;
  const skip = stride - (columns << 2);
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
    // The last columns % 8 columns: 4, then up to 3 through lanes.
    if (columns & 7) {
      let row = x;
      for (let streams = sizeof<Streams>(); streams > 0; streams--) {
        let at = row;
        let r = t;
        if (columns & 4) {
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
        for (let left = columns & 3; left > 0; left--) {
          const v = affine(v128.load32_zero(at), v128.load(r), v128.load(r, 32), v128.load(r, 64));
          v128.store32_lane(at + delta, afterLane<After>(v, at + beside, least, most), 0);
          at += 4;
          r += 4;
        }
        row += span;
      }
      x += (columns & 7) << 2;
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

// ------------------------------------------------------------------------------------ planes

/** `images` images of `planes` planes of `inner` values, whose features start at `feature` of the table. */
export function planesApply(
  x: usize,
  y: usize,
  images: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
  residual: usize,
  low: f32,
  high: f32,
): void {
  assert(images > 0 && planes > 0 && inner > 0);
  const image = (planes * inner) << 2;
  do {
    imageApply(x, y, planes, inner, table, feature, residual, low, high);
    x += image;
    y += image;
    if (residual) residual += image;
  } while (--images);
}

/** One image. */
export function imageApply(
  x: usize,
  y: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
  residual: usize,
  low: f32,
  high: f32,
): void {
  if (residual) applyPlanes<Added>(x, y - x, planes, inner, table, feature, residual - x, low, high);
  else if (clamps(low, high)) applyPlanes<Clamped>(x, y - x, planes, inner, table, feature, 0, low, high);
  else applyPlanes<Bare>(x, y - x, planes, inner, table, feature, 0, low, high);
}

/** y `delta` and the residual `beside` bytes from x. */
function applyPlanes<After>(
  x: usize,
  delta: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
  beside: usize,
  low: f32,
  high: f32,
): void {
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  do {
    const t = laneOf(table, feature, GROUP);
    const c = v128.load32_splat(t);
    const s = v128.load32_splat(t, 32);
    const b = v128.load32_splat(t, 64);
    const end = x + (inner << 2);
    const end16 = x + ((inner & ~15) << 2);
    // Main loop: 16 values.
    if (x < end16) {
      do {
        const y = x + delta;
        const r = x + beside;
        v128.store(y, after<After>(affine(v128.load(x), c, s, b), r, least, most));
        v128.store(y, after<After>(affine(v128.load(x, 16), c, s, b), r + 16, least, most), 16);
        v128.store(y, after<After>(affine(v128.load(x, 32), c, s, b), r + 32, least, most), 32);
        v128.store(y, after<After>(affine(v128.load(x, 48), c, s, b), r + 48, least, most), 48);
        x += 64;
      } while (x < end16);
    }
    // Up to 3 vectors, then up to 3 values.
    while (x + 12 < end) {
      v128.store(x + delta, after<After>(affine(v128.load(x), c, s, b), x + beside, least, most));
      x += 16;
    }
    while (x < end) {
      const v = affine(v128.load32_zero(x), c, s, b);
      v128.store32_lane(x + delta, afterLane<After>(v, x + beside, least, most), 0);
      x += 4;
    }
    feature++;
  } while (--planes);
}
