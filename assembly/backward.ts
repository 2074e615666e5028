// Backward: the gradients of training. With S1 = Σdy and S2 = Σdy·(x − mean) per feature, n samples,
// s = 1/√(variance + epsilon) and A = gamma·s (Ioffe & Szegedy 2015, §3, the sums gathered):
//
//   dbeta = S1,   dgamma = s·S2,   dx = A·dy + B·(x − mean) + C,   B = −A·s·dgamma/n,   C = −A·S1/n
//
// It is reduce, fold and apply once more, with two inputs. As in columns.ts, x − mean is taken as
// (x − center) + (center − mean), center = f32(mean), the second part in f64.

import { high, low, narrow } from "./vector";

/** Bytes of a work table per group of 8 features: [center | S1 | S2]. */
const GROUP: usize = 96;

/** Bytes of a gradient table per group of 8 features: [center | A | B | C]. */
const WIDE_GROUP: usize = 128;

/** Rows per stream between two flushes to f64. */
const FLUSH: usize = 32;

/** Beyond this many bytes of x two streams, because each is read in both inputs. */
const FAR: usize = 16 << 20;

// ------------------------------------------------------------------------------------ reduce

/**
 * Adds Σdy and Σdy·(x − center) over rows × features values to s1 and s2, f64 per feature. `work` comes
 * from gradientWork, and is left as it was. Reads up to 28 bytes past the last row.
 */
export function columnsGradients(
  x: usize,
  dy: usize,
  rows: usize,
  features: usize,
  stride: usize,
  work: usize,
  s1: usize,
  s2: usize,
): void {
  assert(rows > 0 && features > 0);
  const streams: usize = rows * stride > FAR ? 2 : 4;
  const span = (rows / streams) * stride;
  const rest = rows % streams;
  const delta = dy - x;
  if (rest) columnsGradients1(x + span * streams, delta, rest, features, stride, work);
  for (let left = rows / streams; left > 0; ) {
    const block = min(left, FLUSH);
    if (streams === 4) columnsGradients4(x, delta, block, features, stride, work, span);
    else columnsGradients2(x, delta, block, features, stride, work, span);
    x += block * stride;
    left -= block;
    flush(features, work, s1, s2);
  }
  if (rows < streams) flush(features, work, s1, s2);
}

/** work := [center = f32(mean) | S1 = 0 | S2 = 0]. */
export function gradientWork(mean: usize, features: usize, work: usize): void {
  const zero = f32x4.splat(0);
  for (let left = ((features + 7) >> 3) << 1; left > 0; left--) {
    v128.store(work, narrow(v128.load(mean), v128.load(mean, 16)));
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += left & 1 ? GROUP - 16 : 16;
    mean += 32;
  }
}

// The blocks are exported, so that the compiler does not inline them into their drivers: optimized code
// takes over at a call.
export function columnsGradients4(
  x: usize,
  delta: usize,
  rows: usize,
  features: usize,
  stride: usize,
  work: usize,
  span: usize,
): void {
  gradientRows<i32>(x, delta, rows, features, stride, work, span);
}
export function columnsGradients2(
  x: usize,
  delta: usize,
  rows: usize,
  features: usize,
  stride: usize,
  work: usize,
  span: usize,
): void {
  gradientRows<i16>(x, delta, rows, features, stride, work, span);
}
export function columnsGradients1(
  x: usize,
  delta: usize,
  rows: usize,
  features: usize,
  stride: usize,
  work: usize,
): void {
  gradientRows<i8>(x, delta, rows, features, stride, work, 0);
}

/** S1 and S2 over `rows` rows of each of sizeof<Streams>() streams; dy lies `delta` bytes from x. */
function gradientRows<Streams>(
  x: usize,
  delta: usize,
  rows: usize,
  features: usize,
  stride: usize,
  work: usize,
  span: usize,
): void {
  const end = work + ((features + 7) >> 3) * GROUP;
  const skip = stride - (((features + 7) >> 3) << 5);
  do {
    let w = work;
    do {
      gradient4<Streams>(w, x, delta, span);
      gradient4<Streams>(w + 16, x + 16, delta, span);
      x += 32;
      w += GROUP;
    } while (w < end);
    x += skip;
  } while (--rows);
}

/** 4 columns of one row of each stream. */
function gradient4<Streams>(work: usize, x: usize, delta: usize, span: usize): void {
  const c = v128.load(work);
  let g = v128.load(x + delta);
  let s = g;
  let q = f32x4.mul(g, f32x4.sub(v128.load(x), c));
  if (sizeof<Streams>() >= 2) {
    x += span;
    g = v128.load(x + delta);
    s = f32x4.add(s, g);
    q = f32x4.add(q, f32x4.mul(g, f32x4.sub(v128.load(x), c)));
  }
  if (sizeof<Streams>() >= 4) {
    x += span;
    const h = v128.load(x + delta);
    const p = f32x4.mul(h, f32x4.sub(v128.load(x), c));
    x += span;
    g = v128.load(x + delta);
    s = f32x4.add(s, f32x4.add(h, g));
    q = f32x4.add(q, f32x4.add(p, f32x4.mul(g, f32x4.sub(v128.load(x), c))));
  }
  v128.store(work, f32x4.add(v128.load(work, 32), s), 32);
  v128.store(work, f32x4.add(v128.load(work, 64), q), 64);
}

/** s1 += S1, s2 += S2, in f64; S1 = S2 = 0. */
function flush(features: usize, work: usize, s1: usize, s2: usize): void {
  const zero = f32x4.splat(0);
  for (let left = ((features + 7) >> 3) << 1; left > 0; left--) {
    const s = v128.load(work, 32);
    const q = v128.load(work, 64);
    v128.store(s1, f64x2.add(v128.load(s1), low(s)));
    v128.store(s1, f64x2.add(v128.load(s1, 16), high(s)), 16);
    v128.store(s2, f64x2.add(v128.load(s2), low(q)));
    v128.store(s2, f64x2.add(v128.load(s2, 16), high(q)), 16);
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += left & 1 ? GROUP - 16 : 16;
    s1 += 32;
    s2 += 32;
  }
}

/** The same sums over `planes` planes of `inner` values, one per feature. */
export function planesGradients(
  x: usize,
  dy: usize,
  planes: usize,
  inner: usize,
  mean: usize,
  s1: usize,
  s2: usize,
): void {
  assert(planes > 0 && inner > 0);
  const delta = dy - x;
  const zero = f32x4.splat(0);
  do {
    const c = f32x4.splat(<f32>load<f64>(mean));
    const end = x + (inner << 2);
    const end16 = x + ((inner & ~15) << 2);
    let sums = f64x2.splat(0);
    let s = zero;
    let q = zero;
    // Main loop: 16 values a turn, flushed to f64 every 512.
    while (x < end16) {
      const stop = min(end16, x + 2048);
      let t = zero;
      let r = zero;
      do {
        const g0 = v128.load(x + delta);
        const g1 = v128.load(x + delta, 16);
        const g2 = v128.load(x + delta, 32);
        const g3 = v128.load(x + delta, 48);
        s = f32x4.add(s, f32x4.add(g0, g1));
        t = f32x4.add(t, f32x4.add(g2, g3));
        const q0 = f32x4.mul(g0, f32x4.sub(v128.load(x), c));
        const q1 = f32x4.mul(g1, f32x4.sub(v128.load(x, 16), c));
        const q2 = f32x4.mul(g2, f32x4.sub(v128.load(x, 32), c));
        const q3 = f32x4.mul(g3, f32x4.sub(v128.load(x, 48), c));
        q = f32x4.add(q, f32x4.add(q0, q1));
        r = f32x4.add(r, f32x4.add(q2, q3));
        x += 64;
      } while (x < stop);
      s = f32x4.add(s, t);
      q = f32x4.add(q, r);
      if (x < end16) {
        sums = f64x2.add(sums, pairs(s, q));
        s = zero;
        q = zero;
      }
    }
    // Up to 3 vectors, then up to 3 values.
    while (x + 12 < end) {
      const g = v128.load(x + delta);
      s = f32x4.add(s, g);
      q = f32x4.add(q, f32x4.mul(g, f32x4.sub(v128.load(x), c)));
      x += 16;
    }
    while (x < end) {
      const g = v128.load32_zero(x + delta);
      s = f32x4.add(s, g);
      q = f32x4.add(q, f32x4.mul(g, f32x4.sub(v128.load32_zero(x), c)));
      x += 4;
    }
    sums = f64x2.add(sums, pairs(s, q));
    store<f64>(s1, load<f64>(s1) + f64x2.extract_lane(sums, 0));
    store<f64>(s2, load<f64>(s2) + f64x2.extract_lane(sums, 1));
    mean += 8;
    s1 += 8;
    s2 += 8;
  } while (--planes);
}

/** f64 [the sum of s, the sum of q] */
function pairs(s: v128, q: v128): v128 {
  const sq = f32x4.add(i32x4.shuffle(s, q, 0, 4, 1, 5), i32x4.shuffle(s, q, 2, 6, 3, 7));
  return f64x2.add(low(sq), high(sq));
}

/** Adds the sums of the wider view (see tileTable) to those of the features, and clears them. */
export function tileSums(wide: usize, features: usize, inner: usize, width: usize, sums: usize): void {
  for (let j: usize = 0; j < width; j++) {
    const to = sums + (((j / inner) % features) << 3);
    store<f64>(to, load<f64>(to) + load<f64>(wide + (j << 3)));
  }
  memory.fill(wide, 0, (width + 7) << 3);
}

// -------------------------------------------------------------------------------------- fold

/**
 * S1 and S2, of which `count` samples per feature were summed, become the table [center | A | B | C];
 * s2 becomes dgamma, s1 is dbeta already.
 */
export function foldGradients(
  mean: usize,
  m2: usize,
  count: f64,
  gamma: usize,
  epsilon: f64,
  features: usize,
  s1: usize,
  s2: usize,
  table: usize,
): void {
  assert(features > 0);
  for (let j: usize = 0; j < features; j++) {
    const m = load<f64>(mean);
    const c = <f32>m;
    const s = 1 / Math.sqrt(load<f64>(m2) / count + epsilon);
    const apart = <f64>c - m;
    const sum = load<f64>(s1);
    const dgamma = s * (load<f64>(s2) + apart * sum);
    const a = <f64>load<f32>(gamma) * s;
    const b = (-a * s * dgamma) / count;
    store<f64>(s2, dgamma);
    const t = table + (j >> 3) * WIDE_GROUP + ((j & 7) << 2);
    store<f32>(t, c);
    store<f32>(t, <f32>a, 32);
    store<f32>(t, <f32>b, 64);
    store<f32>(t, <f32>(b * apart - (a * sum) / count), 96);
    mean += 8;
    m2 += 8;
    gamma += 4;
    s1 += 8;
    s2 += 8;
  }
}

// ------------------------------------------------------------------------------------- apply

/** dx = A·dy + B·(x − center) + C for rows × features values; dx may be dy or x. */
export function columnsBackward(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
): void {
  assert(rows > 0 && features > 0);
  const block = max<usize>(65536 / stride, 1);
  const streams: usize = rows * stride > FAR ? 2 : 4;
  const span = (rows / streams) * stride;
  const rest = rows % streams;
  const last = x + span * streams;
  const delta = dy - x;
  const target = dx - x;
  for (let left = rows / streams; left > 0; ) {
    const count = min(left, block);
    if (streams === 4) columnsBackward4(x, delta, target, count, features, stride, table, span);
    else columnsBackward2(x, delta, target, count, features, stride, table, span);
    x += count * stride;
    left -= count;
  }
  if (rest) columnsBackward1(last, delta, target, rest, features, stride, table);
}

export function columnsBackward4(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
  span: usize,
): void {
  backwardRows<i32>(x, delta, target, rows, features, stride, table, span);
}
export function columnsBackward2(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
  span: usize,
): void {
  backwardRows<i16>(x, delta, target, rows, features, stride, table, span);
}
export function columnsBackward1(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
): void {
  backwardRows<i8>(x, delta, target, rows, features, stride, table, 0);
}

/** `rows` rows of each of sizeof<Streams>() streams; dy `delta` and dx `target` bytes from x. */
function backwardRows<Streams>(
  x: usize,
  delta: usize,
  target: usize,
  rows: usize,
  features: usize,
  stride: usize,
  table: usize,
  span: usize,
): void {
  const end = table + (features >> 3) * WIDE_GROUP;
  const skip = stride - (features << 2);
  do {
    let t = table;
    // Main loop: 8 columns of every stream, 4 at a time: four coefficients each leave no room for 8.
    if (t < end) {
      do {
        backward4<Streams>(x, delta, target, t, span);
        backward4<Streams>(x + 16, delta, target, t + 16, span);
        x += 32;
        t += WIDE_GROUP;
      } while (t < end);
    }
    // The last features % 8 columns: 4, then up to 3 through lanes.
    if (features & 4) {
      backward4<Streams>(x, delta, target, t, span);
      x += 16;
      t += 16;
    }
    for (let left = features & 3; left > 0; left--) {
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

/** 4 columns of one row of each stream. */
function backward4<Streams>(x: usize, delta: usize, target: usize, t: usize, span: usize): void {
  const c = v128.load(t);
  const a = v128.load(t, 32);
  const b = v128.load(t, 64);
  const d = v128.load(t, 96);
  v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
  if (sizeof<Streams>() >= 2) {
    x += span;
    v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
  }
  if (sizeof<Streams>() >= 4) {
    x += span;
    v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
    x += span;
    v128.store(x + target, gradient(v128.load(x), v128.load(x + delta), c, a, b, d));
  }
}

/** a·dy + b·(x − c) + d */
function gradient(x: v128, dy: v128, c: v128, a: v128, b: v128, d: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(a, dy), f32x4.mul(b, f32x4.sub(x, c))), d);
}

/** dx = A·dy + B·(x − center) + C for `planes` planes whose features start at `feature` of the table. */
export function planesBackward(
  x: usize,
  dy: usize,
  dx: usize,
  planes: usize,
  inner: usize,
  table: usize,
  feature: usize,
): void {
  assert(planes > 0 && inner > 0);
  const delta = dy - x;
  const target = dx - x;
  do {
    const t = table + (feature >> 3) * WIDE_GROUP + ((feature & 7) << 2);
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
