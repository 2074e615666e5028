// Backward: apply with two inputs, dx = A·dy + B·(x − center) + C per feature; dx may be dy or x. See gradients.ts.

import { STREAMS } from "./gradients";
import { laneOf, SLOPE_GROUP } from "./table";

// ----------------------------------------------------------------------------------- columns

/**
 * rows × columns values, `stride` bytes from row to row. `copies` rows are read as one, for which the table is tiled.
 */
export function columnsBackward(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  columns: usize,
  copies: usize,
  stride: usize,
  table: usize,
): void {
  assert(rows > 0 && columns > 0);
  const tall = rows / copies;
  if (tall) rowsBackward(x, dy, dx, tall, columns * copies, stride * copies, table);
  const done = tall * copies;
  if (done < rows) {
    const skip = done * stride;
    const rest = (rows - done) * columns;
    rowsBackward(x + skip, dy + skip, dx + skip, 1, rest, rest << 2, table);
  }
}

/** rows × columns values, one table for every row. */
function rowsBackward(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  table: usize,
): void {
  const block = max<usize>(65536 / stride, 1);
  const span = (rows / STREAMS) * stride;
  const rest = rows % STREAMS;
  const last = x + span * STREAMS;
  const delta = dy - x;
  const target = dx - x;
  for (let left = rows / STREAMS; left > 0; ) {
    const count = min(left, block);
    columnsBackward4(x, delta, target, count, columns, stride, table, span);
    x += count * stride;
    left -= count;
  }
  if (rest) columnsBackward1(last, delta, target, rest, columns, stride, table);
}

export function columnsBackward4(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  table: usize,
  span: usize,
): void {
  backwardRows<i32>(x, delta, target, rows, columns, stride, table, span);
}
export function columnsBackward1(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  table: usize,
): void {
  backwardRows<i8>(x, delta, target, rows, columns, stride, table, 0);
}

/** `rows` rows of each of sizeof<Streams>() streams; dy `delta` and dx `target` bytes from x. */
function backwardRows<Streams>(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  table: usize,
  span: usize,
): void {
  const end = table + (columns >> 3) * SLOPE_GROUP;
  const skip = stride - (columns << 2);
  do {
    let t = table;
    // Main loop: 8 columns of every stream, 4 at a time: four coefficients each leave no room for 8.
    if (t < end) {
      do {
        Four.backward<Streams>(x, delta, target, t, span);
        Four.backward<Streams>(x + 16, delta, target, t + 16, span);
        x += 32;
        t += SLOPE_GROUP;
      } while (t < end);
    }
    // The last columns % 8 columns: 4, then up to 3 through lanes.
    if (columns & 4) {
      Four.backward<Streams>(x, delta, target, t, span);
      x += 16;
      t += 16;
    }
    for (let left = columns & 3; left > 0; left--) {
      let at = x;
      for (let streams = sizeof<Streams>(); streams > 0; streams--) {
        const y = load<f32>(at + delta) * load<f32>(t, 32);
        store<f32>(at + target, y + (load<f32>(at) - load<f32>(t)) * load<f32>(t, 64) + load<f32>(t, 96));
        at += span;
      }
      x += 4;
      t += 4;
    }
    x += skip;
  } while (--rows);
}

// A class, because only methods may be decorated in TypeScript.
class Four {
  /** 4 columns of one row of each stream. Not inlined, its two calls a turn make the loop 2.5 times as long. */
  @inline static backward<Streams>(x: usize, delta: usize, target: usize, t: usize, span: usize): void {
    const c = v128.load(t);
    const a = v128.load(t, 32);
    const b = v128.load(t, 64);
    const d = v128.load(t, 96);
    v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
    if (sizeof<Streams>() === STREAMS) {
      x += span;
      v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
      x += span;
      v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
      x += span;
      v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
    }
  }
}

/** a·dy + b·(x − c) + d */
function gradient(x: v128, dy: v128, c: v128, a: v128, b: v128, d: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(a, dy), f32x4.mul(b, f32x4.sub(x, c))), d);
}

// ------------------------------------------------------------------------------------ planes

/** `images` images of `planes` planes of `inner` values, whose features start at `feature` of the table. */
export function planesBackward(
  x: usize,
  dy: usize,
  dx: usize,
  images: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
): void {
  assert(images > 0 && planes > 0 && inner > 0);
  const image = (planes * inner) << 2;
  do {
    imageBackward(x, dy, dx, planes, inner, table, feature);
    x += image;
    dy += image;
    dx += image;
  } while (--images);
}

/** One image. */
export function imageBackward(
  x: usize,
  dy: usize,
  dx: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
): void {
  const delta = dy - x;
  const target = dx - x;
  do {
    const t = laneOf(table, feature, SLOPE_GROUP);
    const c = v128.load32_splat(t);
    const a = v128.load32_splat(t, 32);
    const b = v128.load32_splat(t, 64);
    const d = v128.load32_splat(t, 96);
    const end = x + (inner << 2);
    const end16 = x + ((inner & ~15) << 2);
    // Main loop: 16 values.
    if (x < end16) {
      do {
        const g = x + delta;
        const y = x + target;
        v128.store(y, gradient(v128.load(x), v128.load(g), c, a, b, d));
        v128.store(y, gradient(v128.load(x, 16), v128.load(g, 16), c, a, b, d), 16);
        v128.store(y, gradient(v128.load(x, 32), v128.load(g, 32), c, a, b, d), 32);
        v128.store(y, gradient(v128.load(x, 48), v128.load(g, 48), c, a, b, d), 48);
        x += 64;
      } while (x < end16);
    }
    // Up to 3 vectors, then up to 3 values.
    while (x + 12 < end) {
      v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
      x += 16;
    }
    while (x < end) {
      const v = gradient(v128.load32_zero(x), v128.load32_zero(x + delta), c, a, b, d);
      v128.store32_lane(x + target, v, 0);
      x += 4;
    }
    feature++;
  } while (--planes);
}
