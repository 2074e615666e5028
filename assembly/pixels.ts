// 8-bit pixels become f32, and come back. A pixel is four bytes, of which the first three are its channels; it becomes
// planes, columns (interleaved), or gray, which is one channel. Per channel
//
//   y = (step·v − center)·unit          and back  v = y·scale + shift, rounded to even and saturated; NaN: 0
//
// step is an integer below 2¹⁵, so that step·v is exact, and y is rounded once where center is an integer too:
// src/pixel-map.ts chooses them. The product is free, because it also selects the byte: planes take 0.29 ns a pixel
// in cache, 0.30 by v·scale + shift.
//
//   map       [step i32 × 4 | center × 4 | unit × 4 | scale × 4 | shift × 4] f32, 80 bytes, channel by channel
//   apart     bytes from plane to plane
//
// RGB of three bytes a pixel and BGR are made RGBA where they stand, by `widen` and `reverse`: 0.09 and 0.08 ns a
// pixel. Kernels that read RGB themselves lose as much, and double the code.
//
// Nothing outside the image is read or written. Any alignment will do. x and y must not overlap.
//
// Bytes are moved by swizzles: V8 keeps their constant in a register, but makes that of an i8x16.shuffle anew each
// time (0.14 ns a pixel). An index of -1 gives 0.

// A class, because only methods may be decorated in TypeScript.
class Four {
  /** Bytes in pairs of 16 bits, of which step selects one, → y. */
  @inline static value(pairs: v128, step: v128, center: v128, unit: v128): v128 {
    const v = f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(pairs, step));
    return f32x4.mul(f32x4.sub(v, center), unit);
  }

  /**
   * ITU-R BT.601 luma of 4 pixels, rounded to 8 bits by the integers of Pillow's convert("L"):
   * (19595·r + 38470·g + 7471·b + 2¹⁵) / 2¹⁶. 38470 is too large for 16 bits: half of it is added twice.
   */
  @inline static luma(v: v128): v128 {
    const redBlue = i32x4.dot_i16x8_s(v128.and(v, i32x4.splat(0xff00ff)), i32x4.splat((7471 << 16) | 19595));
    const green = i32x4.dot_i16x8_s(i16x8.shr_u(v, 8), i32x4.splat(38470 >> 1));
    const sum = i32x4.add(i32x4.add(redBlue, i32x4.splat(1 << 15)), i32x4.add(green, green));
    return i32x4.shr_u(sum, 16);
  }

  /**
   * y → byte + 2²³, whose lowest bits are the byte, rounded to even; the others are those of 2²³. pmax and pmin
   * return their first operand where the comparison is false, so that NaN becomes 0.
   */
  @inline static byte(y: v128, scale: v128, shift: v128): v128 {
    const v = f32x4.add(f32x4.mul(y, scale), shift);
    const clamped = f32x4.pmin(f32x4.pmax(f32x4.splat(0), v), f32x4.splat(255));
    return f32x4.add(clamped, f32x4.splat(8388608));
  }

  /** Three channels of `byte` → opaque pixels. What is left of 2²³ is shifted out, or becomes alpha: 0x4b ^ 0xb4 = 255. */
  @inline static pixels(a: v128, b: v128, c: v128): v128 {
    const first = v128.xor(a, i32x4.splat(0xb4000000));
    return v128.or(v128.or(first, i32x4.shl(b, 8)), i32x4.shl(c, 16));
  }
}

// ------------------------------------------------------------------------------------ in place

/** RGB of three bytes a pixel → RGBA, alpha 0, in the same place, which has room for it: from the last pixel to the first. */
export function widen(x: usize, pixels: usize): void {
  assert(pixels > 0);
  let from = x + pixels * 3;
  let to = x + (pixels << 2);
  // The last up to 3 pixels.
  for (const end4 = x + ((pixels & ~3) << 2); to > end4; ) {
    from -= 3;
    to -= 4;
    store<u32>(to, ((<u32>load<u8>(from, 2)) << 16) | load<u16>(from));
  }
  const spread = i8x16(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  // Main loop: 4 pixels. Behind their 12 bytes there is always room for the 4 that the load takes along.
  if (to > x) {
    do {
      from -= 12;
      to -= 16;
      v128.store(to, i8x16.swizzle(v128.load(from), spread));
    } while (to > x);
  }
}

/** RGBA ↔ BGRA, in place. */
export function reverse(x: usize, pixels: usize): void {
  assert(pixels > 0);
  const order = i8x16(2, 1, 0, 3, 6, 5, 4, 7, 10, 9, 8, 11, 14, 13, 12, 15);
  const end = x + (pixels << 2);
  const end4 = x + ((pixels & ~3) << 2);
  // Main loop: 4 pixels; then up to 3.
  if (x < end4) {
    do {
      v128.store(x, i8x16.swizzle(v128.load(x), order));
      x += 16;
    } while (x < end4);
  }
  for (; x < end; x += 4) v128.store32_lane(x, i8x16.swizzle(v128.load32_zero(x), order), 0);
}

// ---------------------------------------------------------------------------------- pixels → y

/** Pixels → three planes. */
export function pixelsToPlanes(x: usize, y: usize, apart: usize, pixels: usize, map: usize): void {
  assert(pixels > 0);
  const step0 = v128.load32_splat(map);
  const step1 = v128.load32_splat(map, 4);
  const step2 = i32x4.shl(v128.load32_splat(map, 8), 16);
  const center0 = v128.load32_splat(map, 16);
  const center1 = v128.load32_splat(map, 20);
  const center2 = v128.load32_splat(map, 24);
  const unit0 = v128.load32_splat(map, 32);
  const unit1 = v128.load32_splat(map, 36);
  const unit2 = v128.load32_splat(map, 40);
  const even = i32x4.splat(0xff00ff);
  const end = x + (pixels << 2);
  const end8 = x + ((pixels & ~7) << 2);
  // Main loop: 8 pixels, the bytes 0 and 2 of each in one vector of pairs, 1 and 3 in another; then up to 7.
  if (x < end8) {
    do {
      const v = v128.load(x);
      const w = v128.load(x, 16);
      const vEven = v128.and(v, even);
      const wEven = v128.and(w, even);
      let plane = y;
      v128.store(plane, Four.value(vEven, step0, center0, unit0));
      v128.store(plane, Four.value(wEven, step0, center0, unit0), 16);
      plane += apart;
      v128.store(plane, Four.value(i16x8.shr_u(v, 8), step1, center1, unit1));
      v128.store(plane, Four.value(i16x8.shr_u(w, 8), step1, center1, unit1), 16);
      plane += apart;
      v128.store(plane, Four.value(vEven, step2, center2, unit2));
      v128.store(plane, Four.value(wEven, step2, center2, unit2), 16);
      x += 32;
      y += 32;
    } while (x < end8);
  }
  while (x < end) {
    const v = v128.load32_zero(x);
    const vEven = v128.and(v, even);
    v128.store32_lane(y, Four.value(vEven, step0, center0, unit0), 0);
    v128.store32_lane(y + apart, Four.value(i16x8.shr_u(v, 8), step1, center1, unit1), 0);
    v128.store32_lane(y + (apart << 1), Four.value(vEven, step2, center2, unit2), 0);
    x += 4;
    y += 4;
  }
}

/** Pixels → three interleaved channels. */
export function pixelsToColumns(x: usize, y: usize, pixels: usize, map: usize): void {
  assert(pixels > 0);
  const step = v128.load(map);
  const center = v128.load(map, 16);
  const unit = v128.load(map, 32);
  // Three vectors of channels, 0120 1201 2012, and where their bytes are.
  const step0 = i32x4.shuffle(step, step, 0, 1, 2, 0);
  const step1 = i32x4.shuffle(step, step, 1, 2, 0, 1);
  const step2 = i32x4.shuffle(step, step, 2, 0, 1, 2);
  const center0 = i32x4.shuffle(center, center, 0, 1, 2, 0);
  const center1 = i32x4.shuffle(center, center, 1, 2, 0, 1);
  const center2 = i32x4.shuffle(center, center, 2, 0, 1, 2);
  const unit0 = i32x4.shuffle(unit, unit, 0, 1, 2, 0);
  const unit1 = i32x4.shuffle(unit, unit, 1, 2, 0, 1);
  const unit2 = i32x4.shuffle(unit, unit, 2, 0, 1, 2);
  const at0 = i8x16(0, -1, -1, -1, 1, -1, -1, -1, 2, -1, -1, -1, 4, -1, -1, -1);
  const at1 = i8x16(5, -1, -1, -1, 6, -1, -1, -1, 8, -1, -1, -1, 9, -1, -1, -1);
  const at2 = i8x16(10, -1, -1, -1, 12, -1, -1, -1, 13, -1, -1, -1, 14, -1, -1, -1);
  const end = x + (pixels << 2);
  const end4 = x + ((pixels & ~3) << 2);
  // Main loop: 4 pixels; then up to 3.
  if (x < end4) {
    do {
      const v = v128.load(x);
      v128.store(y, Four.value(i8x16.swizzle(v, at0), step0, center0, unit0));
      v128.store(y, Four.value(i8x16.swizzle(v, at1), step1, center1, unit1), 16);
      v128.store(y, Four.value(i8x16.swizzle(v, at2), step2, center2, unit2), 32);
      x += 16;
      y += 48;
    } while (x < end4);
  }
  while (x < end) {
    const v = Four.value(i8x16.swizzle(v128.load32_zero(x), at0), step0, center0, unit0);
    v128.store64_lane(y, v, 0);
    v128.store32_lane(y, v, 2, 8);
    x += 4;
    y += 12;
  }
}

/** Pixels, red first, → one channel of gray. */
export function pixelsToGray(x: usize, y: usize, pixels: usize, map: usize): void {
  assert(pixels > 0);
  const step = v128.load32_splat(map);
  const center = v128.load32_splat(map, 16);
  const unit = v128.load32_splat(map, 32);
  const end = x + (pixels << 2);
  const end4 = x + ((pixels & ~3) << 2);
  // Main loop: 4 pixels; then up to 3.
  if (x < end4) {
    do {
      v128.store(y, Four.value(Four.luma(v128.load(x)), step, center, unit));
      x += 16;
      y += 16;
    } while (x < end4);
  }
  while (x < end) {
    v128.store32_lane(y, Four.value(Four.luma(v128.load32_zero(x)), step, center, unit), 0);
    x += 4;
    y += 4;
  }
}

// ---------------------------------------------------------------------------------- y → pixels

/** Three planes → pixels, alpha 255. */
export function planesToPixels(x: usize, apart: usize, y: usize, pixels: usize, map: usize): void {
  assert(pixels > 0);
  const scale0 = v128.load32_splat(map, 48);
  const scale1 = v128.load32_splat(map, 52);
  const scale2 = v128.load32_splat(map, 56);
  const shift0 = v128.load32_splat(map, 64);
  const shift1 = v128.load32_splat(map, 68);
  const shift2 = v128.load32_splat(map, 72);
  const end = y + (pixels << 2);
  const end4 = y + ((pixels & ~3) << 2);
  // Main loop: 4 pixels; then up to 3.
  if (y < end4) {
    do {
      const a = Four.byte(v128.load(x), scale0, shift0);
      const b = Four.byte(v128.load(x + apart), scale1, shift1);
      const c = Four.byte(v128.load(x + (apart << 1)), scale2, shift2);
      v128.store(y, Four.pixels(a, b, c));
      x += 16;
      y += 16;
    } while (y < end4);
  }
  while (y < end) {
    const a = Four.byte(v128.load32_zero(x), scale0, shift0);
    const b = Four.byte(v128.load32_zero(x + apart), scale1, shift1);
    const c = Four.byte(v128.load32_zero(x + (apart << 1)), scale2, shift2);
    v128.store32_lane(y, Four.pixels(a, b, c), 0);
    x += 4;
    y += 4;
  }
}

/** Three interleaved channels → pixels, alpha 255. */
export function columnsToPixels(x: usize, y: usize, pixels: usize, map: usize): void {
  assert(pixels > 0);
  const scale = v128.load(map, 48);
  const shift = v128.load(map, 64);
  const scale0 = i32x4.shuffle(scale, scale, 0, 1, 2, 0);
  const scale1 = i32x4.shuffle(scale, scale, 1, 2, 0, 1);
  const scale2 = i32x4.shuffle(scale, scale, 2, 0, 1, 2);
  const shift0 = i32x4.shuffle(shift, shift, 0, 1, 2, 0);
  const shift1 = i32x4.shuffle(shift, shift, 1, 2, 0, 1);
  const shift2 = i32x4.shuffle(shift, shift, 2, 0, 1, 2);
  // Where in y the lowest bytes of each of the three vectors come from.
  const from0 = i8x16(0, 4, 8, -1, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const from1 = i8x16(-1, -1, -1, -1, -1, 0, 4, -1, 8, 12, -1, -1, -1, -1, -1, -1);
  const from2 = i8x16(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, -1, 4, 8, 12, -1);
  const alpha = i32x4.splat(0xff000000);
  const end = y + (pixels << 2);
  const end4 = y + ((pixels & ~3) << 2);
  // Main loop: 4 pixels; then up to 3.
  if (y < end4) {
    do {
      const a = i8x16.swizzle(Four.byte(v128.load(x), scale0, shift0), from0);
      const b = i8x16.swizzle(Four.byte(v128.load(x, 16), scale1, shift1), from1);
      const c = i8x16.swizzle(Four.byte(v128.load(x, 32), scale2, shift2), from2);
      v128.store(y, v128.or(v128.or(a, b), v128.or(c, alpha)));
      x += 48;
      y += 16;
    } while (y < end4);
  }
  while (y < end) {
    const a = Four.byte(v128.load32_lane(x, v128.load64_zero(x), 2, 8), scale0, shift0);
    v128.store32_lane(y, v128.or(i8x16.swizzle(a, from0), alpha), 0);
    x += 12;
    y += 4;
  }
}

/** One channel of gray → pixels of three equal channels, alpha 255. */
export function grayToPixels(x: usize, y: usize, pixels: usize, map: usize): void {
  assert(pixels > 0);
  const scale = v128.load32_splat(map, 48);
  const shift = v128.load32_splat(map, 64);
  const alike = i8x16(0, 0, 0, -1, 4, 4, 4, -1, 8, 8, 8, -1, 12, 12, 12, -1);
  const alpha = i32x4.splat(0xff000000);
  const end = y + (pixels << 2);
  const end4 = y + ((pixels & ~3) << 2);
  // Main loop: 4 pixels; then up to 3.
  if (y < end4) {
    do {
      v128.store(y, v128.or(i8x16.swizzle(Four.byte(v128.load(x), scale, shift), alike), alpha));
      x += 16;
      y += 16;
    } while (y < end4);
  }
  while (y < end) {
    const v = Four.byte(v128.load32_zero(x), scale, shift);
    v128.store32_lane(y, v128.or(i8x16.swizzle(v, alike), alpha), 0);
    x += 4;
    y += 4;
  }
}

// ---------------------------------------------------------------------------------- statistics

/** Pixels until 16-bit sums could overflow: each lane gains at most 2 · 255 of 4 pixels. */
const FLUSH: usize = 512;

/**
 * Adds Σv and Σv² of each channel to `sums`, f64 [Σ0 Σ1 Σ2 – Σ0² Σ1² Σ2² –]. They are exact: f64 holds integers up to
 * 2⁵³, and no image that fits into memory comes near.
 */
export function pixelSums(x: usize, pixels: usize, sums: usize): void {
  assert(pixels > 0);
  const pairs = i8x16(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
  const zero = i32x4.splat(0);
  const end = x + (pixels << 2);
  const end4 = x + ((pixels & ~3) << 2);
  do {
    const stop = min(end4, x + (FLUSH << 2));
    let s = zero;
    let q = zero;
    let q2 = zero;
    // Main loop: 4 pixels, in 16-bit pairs [0 0 1 1 2 2 3 3] of neighbours; at last up to 3.
    if (x < stop) {
      do {
        const v = i8x16.swizzle(v128.load(x), pairs);
        const a = i16x8.extend_low_i8x16_u(v);
        const b = i16x8.extend_high_i8x16_u(v);
        s = i16x8.add(s, i16x8.add(a, b));
        q = i32x4.add(q, i32x4.dot_i16x8_s(a, a));
        q2 = i32x4.add(q2, i32x4.dot_i16x8_s(b, b));
        x += 16;
      } while (x < stop);
    } else {
      do {
        const a = i16x8.extend_low_i8x16_u(i8x16.swizzle(v128.load32_zero(x), pairs));
        s = i16x8.add(s, a);
        q = i32x4.add(q, i32x4.dot_i16x8_s(a, a));
        x += 4;
      } while (x < end);
    }
    addLanes(sums, i32x4.extadd_pairwise_i16x8_u(s));
    addLanes(sums + 32, i32x4.add(q, q2));
  } while (x < end);
}

/** The same of gray: f64 [Σ Σ²]. */
export function graySums(x: usize, pixels: usize, sums: usize): void {
  assert(pixels > 0);
  const zero = i32x4.splat(0);
  const end = x + (pixels << 2);
  const end4 = x + ((pixels & ~3) << 2);
  do {
    const stop = min(end4, x + (FLUSH << 2));
    let s = zero;
    let q = zero;
    // Main loop: 4 pixels; at last up to 3.
    if (x < stop) {
      do {
        const v = Four.luma(v128.load(x));
        s = i32x4.add(s, v);
        q = i32x4.add(q, i32x4.dot_i16x8_s(v, v));
        x += 16;
      } while (x < stop);
    } else {
      do {
        const v = Four.luma(v128.load32_zero(x));
        s = i32x4.add(s, v);
        q = i32x4.add(q, i32x4.dot_i16x8_s(v, v));
        x += 4;
      } while (x < end);
    }
    // [s0 + s1, q0 + q1, s2 + s3, q2 + q3], then its halves
    const sq = i32x4.add(i32x4.shuffle(s, q, 0, 4, 2, 6), i32x4.shuffle(s, q, 1, 5, 3, 7));
    const both = f64x2.convert_low_i32x4_s(i32x4.add(sq, i64x2.shuffle(sq, sq, 1, 0)));
    v128.store(sums, f64x2.add(v128.load(sums), both));
  } while (x < end);
}

/** Adds the lanes of v to four f64. */
function addLanes(sums: usize, v: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.convert_low_i32x4_s(v)));
  const upper = f64x2.convert_low_i32x4_s(i64x2.shuffle(v, v, 1, 0));
  v128.store(sums, f64x2.add(v128.load(sums, 16), upper), 16);
}
