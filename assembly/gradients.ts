// Gradients: reduce with two inputs. With S1 = Σdy and S2 = Σdy·(x − mean) per feature, n samples,
// s = 1/√(variance + epsilon) and A = gamma·s (Ioffe & Szegedy 2015, §3, the sums gathered):
//
//   dbeta = S1,   dgamma = s·S2,   dx = A·dy + B·(x − mean) + C,   B = −A·s·dgamma/n,   C = −A·S1/n
//
// x − mean is taken as (x − center) + (center − mean), center = f32(mean); the second part is added in f64 by
// foldSums (fold.ts). dx is the affair of backward.ts.

import { emptySums, GROUP, groups, laneOf, nextHalf } from "./table";
import { featureOf, tileSums, wideOf } from "./tiles";
import { lower, totals, upper } from "./vector";

/** Rows per stream between two flushes to f64. */
const FLUSH: usize = 32;

/** Rows far apart that are walked side by side, here and in backward.ts. Beyond the cache two instead take 1.1 times as long. */
export const STREAMS: usize = 4;

/**
 * Adds Σdy and Σdy·(x − center) over rows × features·inner values to s1 and s2, f64 per feature. `copies` rows are
 * read as one. Reads up to 28 bytes past the last row of both.
 */
export function columnsGradients(
  x: usize,
  dy: usize,
  rows: usize,
  features: usize,
  inner: usize,
  copies: usize,
  stride: usize,
  scratch: usize,
  mean: usize,
  s1: usize,
  s2: usize,
): void {
  assert(rows > 0 && features > 0);
  const row = features * inner;
  if (copies * inner === 1) {
    emptySums(features, scratch, mean);
    rowsGradients(x, dy, rows, row, stride, scratch, s1, s2);
    return;
  }
  const tall = rows / copies;
  const done = tall * copies;
  if (tall) wideGradients(x, dy, tall, features, inner, row * copies, stride * copies, scratch, mean, s1, s2);
  if (done < rows) {
    const skip = done * stride;
    wideGradients(x + skip, dy + skip, rows - done, features, inner, row, stride, scratch, mean, s1, s2);
  }
}

/** The sums of rows in which every feature stands more than once: those of the columns, then added up. */
function wideGradients(
  x: usize,
  dy: usize,
  rows: usize,
  features: usize,
  inner: usize,
  columns: usize,
  stride: usize,
  scratch: usize,
  mean: usize,
  s1: usize,
  s2: usize,
): void {
  const wide1 = wideOf(scratch, columns);
  const wide2 = wide1 + (groups(columns) << 6);
  tileCenters(mean, features, inner, columns, scratch);
  memory.fill(wide1, 0, groups(columns) << 7);
  rowsGradients(x, dy, rows, columns, stride, scratch, wide1, wide2);
  tileSums(wide1, features, inner, columns, s1);
  tileSums(wide2, features, inner, columns, s2);
}

/** The sums of rows × columns values; the work table holds center, S1 and S2. */
function rowsGradients(
  x: usize,
  dy: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  work: usize,
  s1: usize,
  s2: usize,
): void {
  const span = (rows / STREAMS) * stride;
  const rest = rows % STREAMS;
  const delta = dy - x;
  if (rest) columnsGradients1(x + span * STREAMS, delta, rest, columns, stride, work);
  for (let left = rows / STREAMS; left > 0; ) {
    const block = min(left, FLUSH);
    columnsGradients4(x, delta, block, columns, stride, work, span);
    x += block * stride;
    left -= block;
    flush(columns, work, s1, s2);
  }
  if (rows < STREAMS) flush(columns, work, s1, s2);
}

/** work := [center = f32(mean) | S1 = 0 | S2 = 0], of the wider view. */
function tileCenters(mean: usize, features: usize, inner: usize, columns: usize, work: usize): void {
  memory.fill(work, 0, groups(columns) * GROUP);
  for (let j: usize = 0; j < columns; j++) {
    store<f32>(laneOf(work, j, GROUP), <f32>load<f64>(mean + (featureOf(j, features, inner) << 3)));
  }
}

export function columnsGradients4(
  x: usize,
  delta: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  work: usize,
  span: usize,
): void {
  gradientRows<i32>(x, delta, rows, columns, stride, work, span);
}
export function columnsGradients1(
  x: usize,
  delta: usize,
  rows: usize,
  columns: usize,
  stride: usize,
  work: usize,
): void {
  gradientRows<i8>(x, delta, rows, columns, stride, work, 0);
}

/** S1 and S2 over `rows` rows of each of sizeof<Streams>() streams; dy lies `delta` bytes from x. */
function gradientRows<Streams>(
  x: usize,
  delta: usize,
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
      Four.gradient<Streams>(w, x, delta, span);
      Four.gradient<Streams>(w + 16, x + 16, delta, span);
      x += 32;
      w += GROUP;
    } while (w < end);
    x += skip;
  } while (--rows);
}

// A class, because only methods may be decorated in TypeScript.
class Four {
  /** 4 columns of one row of each stream. Not inlined, its two calls a turn make the loop 2.5 times as long. */
  @inline static gradient<Streams>(work: usize, x: usize, delta: usize, span: usize): void {
    const c = v128.load(work);
    let g = v128.load(x + delta);
    let s = g;
    let q = f32x4.mul(g, f32x4.sub(v128.load(x), c));
    if (sizeof<Streams>() === STREAMS) {
      x += span;
      g = v128.load(x + delta);
      s = f32x4.add(s, g);
      q = f32x4.add(q, f32x4.mul(g, f32x4.sub(v128.load(x), c)));
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
}

/** s1 += S1, s2 += S2, in f64; S1 = S2 = 0. */
function flush(columns: usize, work: usize, s1: usize, s2: usize): void {
  const zero = f32x4.splat(0);
  for (let left = groups(columns) << 1; left > 0; left--) {
    const s = v128.load(work, 32);
    const q = v128.load(work, 64);
    v128.store(s1, f64x2.add(v128.load(s1), lower(s)));
    v128.store(s1, f64x2.add(v128.load(s1, 16), upper(s)), 16);
    v128.store(s2, f64x2.add(v128.load(s2), lower(q)));
    v128.store(s2, f64x2.add(v128.load(s2, 16), upper(q)), 16);
    v128.store(work, zero, 32);
    v128.store(work, zero, 64);
    work += nextHalf(left, GROUP);
    s1 += 32;
    s2 += 32;
  }
}

/** The same sums over `images` images of `planes` planes of `inner` values, one plane per feature. */
export function planesGradients(
  x: usize,
  dy: usize,
  images: usize,
  planes: usize,
  inner: usize,
  mean: usize,
  s1: usize,
  s2: usize,
): void {
  assert(images > 0 && planes > 0 && inner > 0);
  const image = (planes * inner) << 2;
  do {
    imageGradients(x, dy, planes, inner, mean, s1, s2);
    x += image;
    dy += image;
  } while (--images);
}

/** One image. */
export function imageGradients(
  x: usize,
  dy: usize,
  planes: usize,
  inner: usize,
  mean: usize,
  s1: usize,
  s2: usize,
): void {
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
        sums = f64x2.add(sums, totals(s, q));
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
    sums = f64x2.add(sums, totals(s, q));
    store<f64>(s1, load<f64>(s1) + f64x2.extract_lane(sums, 0));
    store<f64>(s2, load<f64>(s2) + f64x2.extract_lane(sums, 1));
    mean += 8;
    s1 += 8;
    s2 += 8;
  } while (--planes);
}
