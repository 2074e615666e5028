// Moments of planes in f64: see exact.ts. x holds images of planes of `inner` values, one plane per feature.

import { again, far, flush, fours, isMasked, odd, Pair, setMasked, stateOf, sumsOf } from "./exact";

/** Values of the first block of a plane, and of the longest: 8 of them are added at a time. */
const FIRST: usize = 64;
const LONGEST: usize = 1024;

/**
 * Takes `images` images of `planes` planes of `inner` values of `bytes` bytes, whose features start at `feature` of
 * `features`; `seen` values of each came before. With `skip` NaN is left out, see exact-columns.ts.
 */
export function planesExact(
  x: usize,
  images: usize,
  planes: usize,
  inner: usize,
  bytes: usize,
  skip: bool,
  work: usize,
  features: usize,
  feature: usize,
  seen: f64,
): void {
  assert(images > 0 && planes > 0 && inner > 0 && (bytes === 4 || bytes === 8));
  do {
    imageExact(x, planes, inner, bytes, skip, work, features, feature, seen);
    x += planes * inner * bytes;
    seen += <f64>inner;
  } while (--images);
}

/** One image: planes that are one block each are merged together. Exported to stay a function, as those below. */
export function imageExact(
  x: usize,
  planes: usize,
  inner: usize,
  bytes: usize,
  skip: bool,
  work: usize,
  features: usize,
  feature: usize,
  seen: f64,
): void {
  const end = feature + planes;
  if (inner <= blockAfter(seen)) {
    planesBlock(x, planes, inner, bytes, skip, work, features, feature, seen === 0);
    return;
  }
  for (; feature < end; feature++) {
    let left = inner;
    let before = seen;
    do {
      const block = min(left, blockAfter(before));
      planesBlock(x, 1, block, bytes, skip, work, features, feature, before === 0);
      before += <f64>block;
      x += block * bytes;
      left -= block;
    } while (left > 0);
  }
}

/** Values of a block that follows as many. */
function blockAfter(seen: f64): usize {
  return seen === 0 ? FIRST : seen * 4 < <f64>LONGEST ? (<usize>seen) << 2 : LONGEST;
}

/** One block of each plane. */
function planesBlock(
  x: usize,
  planes: usize,
  inner: usize,
  bytes: usize,
  skip: bool,
  work: usize,
  features: usize,
  feature: usize,
  first: bool,
): void {
  // The groups of four features that have a part in it; the others of these add nothing.
  const from = feature & ~3;
  const columns = feature + planes - from;
  const sums = sumsOf(work, from);
  const state = stateOf(work, features, from);
  const groups = fours(columns);
  let masked = isMasked(work);
  let centered = !first && !masked;
  for (;;) {
    if (first || masked) seedPlanes(x, planes, inner, bytes, masked, work, feature);
    sumPlanes(x, planes, inner, bytes, masked, work, features, feature);
    if (skip && !masked && odd(sums, columns)) {
      setMasked(work);
      masked = true;
      centered = false;
    } else {
      if (centered || !far(sums, state, columns, 0, first ? 16 : 2)) break;
      centered = true;
    }
    again(sums, state, groups, 0);
  }
  flush(sums, state, groups, 0);
}

/** Where no shift has been found: K := the plane's first finite value, or, unless NaN is masked, its first; or 0. */
function seedPlanes(
  x: usize,
  planes: usize,
  inner: usize,
  bytes: usize,
  masked: bool,
  work: usize,
  feature: usize,
): void {
  for (const end = feature + planes; feature < end; feature++, x += inner * bytes) {
    const lane = sumsOf(work, feature);
    if (!Number.isNaN(load<f64>(lane))) continue;
    const tries = masked ? inner : 1;
    let value: f64 = 0;
    for (let i: usize = 0; i < tries; i++) {
      value = bytes === 4 ? <f64>load<f32>(x + (i << 2)) : load<f64>(x + (i << 3));
      if (Number.isFinite(value)) break;
      value = 0;
    }
    store<f64>(lane, value);
  }
}

function sumPlanes(
  x: usize,
  planes: usize,
  inner: usize,
  bytes: usize,
  masked: bool,
  work: usize,
  features: usize,
  feature: usize,
): void {
  if (masked) {
    if (bytes === 4) floatPresent(x, planes, inner, work, features, feature);
    else doublePresent(x, planes, inner, work, features, feature);
  } else {
    if (bytes === 4) floatPlanes(x, planes, inner, work, features, feature);
    else doublePlanes(x, planes, inner, work, features, feature);
  }
}

export function floatPlanes(
  x: usize,
  planes: usize,
  inner: usize,
  work: usize,
  features: usize,
  feature: usize,
): void {
  do {
    Plane.sum<f32>(x, inner, sumsOf(work, feature), stateOf(work, features, feature));
    x += inner << 2;
    feature++;
  } while (--planes);
}

export function doublePlanes(
  x: usize,
  planes: usize,
  inner: usize,
  work: usize,
  features: usize,
  feature: usize,
): void {
  do {
    Plane.sum<f64>(x, inner, sumsOf(work, feature), stateOf(work, features, feature));
    x += inner << 3;
    feature++;
  } while (--planes);
}

export function floatPresent(
  x: usize,
  planes: usize,
  inner: usize,
  work: usize,
  features: usize,
  feature: usize,
): void {
  do {
    Plane.present<f32>(x, inner, sumsOf(work, feature), stateOf(work, features, feature));
    x += inner << 2;
    feature++;
  } while (--planes);
}

export function doublePresent(
  x: usize,
  planes: usize,
  inner: usize,
  work: usize,
  features: usize,
  feature: usize,
): void {
  do {
    Plane.present<f64>(x, inner, sumsOf(work, feature), stateOf(work, features, feature));
    x += inner << 3;
    feature++;
  } while (--planes);
}

class Plane {
  /** N, S and Q, two accumulators each: with four, one does not fit the registers, which doubles the time. */
  @inline static sum<Value extends number>(x: usize, length: usize, lane: usize, state: usize): void {
    const k = v128.load64_splat(lane);
    let s = f64x2.splat(0);
    let q = s;
    let t = s;
    let r = s;
    const end = x + length * sizeof<Value>();
    const whole = x + (length & ~7) * sizeof<Value>();
    if (x < whole) {
      do {
        const a = f64x2.sub(Pair.load<Value>(x), k);
        const b = f64x2.sub(Pair.load<Value>(x + 2 * sizeof<Value>()), k);
        s = f64x2.add(s, f64x2.add(a, b));
        q = f64x2.add(q, f64x2.add(f64x2.mul(a, a), f64x2.mul(b, b)));
        const c = f64x2.sub(Pair.load<Value>(x + 4 * sizeof<Value>()), k);
        const d = f64x2.sub(Pair.load<Value>(x + 6 * sizeof<Value>()), k);
        t = f64x2.add(t, f64x2.add(c, d));
        r = f64x2.add(r, f64x2.add(f64x2.mul(c, c), f64x2.mul(d, d)));
        x += 8 * sizeof<Value>();
      } while (x < whole);
    }
    s = f64x2.add(s, t);
    q = f64x2.add(q, r);
    while (x + sizeof<Value>() < end) {
      const a = f64x2.sub(Pair.load<Value>(x), k);
      s = f64x2.add(s, a);
      q = f64x2.add(q, f64x2.mul(a, a));
      x += 2 * sizeof<Value>();
    }
    let sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
    let squares = f64x2.extract_lane(q, 0) + f64x2.extract_lane(q, 1);
    if (x < end) {
      const d = <f64>load<Value>(x) - load<f64>(lane);
      sum += d;
      squares += d * d;
    }
    store<f64>(state, <f64>length);
    store<f64>(lane, sum, 32);
    store<f64>(lane, squares, 64);
  }

  /** N, S and Q of what is not NaN. */
  @inline static present<Value extends number>(x: usize, length: usize, lane: usize, state: usize): void {
    const k = v128.load64_splat(lane);
    const one = f64x2.splat(1);
    let n = f64x2.splat(0);
    let s = n;
    let q = n;
    const end = x + length * sizeof<Value>();
    while (x + sizeof<Value>() < end) {
      const value = Pair.load<Value>(x);
      const taken = f64x2.eq(value, value);
      const d = v128.and(f64x2.sub(value, k), taken);
      n = f64x2.add(n, v128.and(one, taken));
      s = f64x2.add(s, d);
      q = f64x2.add(q, f64x2.mul(d, d));
      x += 2 * sizeof<Value>();
    }
    let count = f64x2.extract_lane(n, 0) + f64x2.extract_lane(n, 1);
    let sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
    let squares = f64x2.extract_lane(q, 0) + f64x2.extract_lane(q, 1);
    if (x < end && !Number.isNaN(<f64>load<Value>(x))) {
      const d = <f64>load<Value>(x) - load<f64>(lane);
      count += 1;
      sum += d;
      squares += d * d;
    }
    store<f64>(state, count);
    store<f64>(lane, sum, 32);
    store<f64>(lane, squares, 64);
  }
}
