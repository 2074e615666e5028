// 8-bit pixels in JavaScript: the steps of assembly/pixels.ts and, bit for bit, their results. An image is RGBA
// (4 bytes a pixel) or RGB (3); y is its planes, its interleaved channels (columns) or gray; `red` is the channel of
// y that is red: 0 in RGB, 2 in BGR.
//
// Forward each byte is looked up: a word a pixel, the tables of all channels in one array, and 2 pixels a turn,
// because V8 reads kinds, lengths and pointers of arrays anew in every turn. 2.6 ns a pixel, against 3.1 pixel by
// pixel, 4.0 with an array per channel, and 8.1 of (v/255 − mean)/std. Back it takes 6 ns, 1.2 of which are for
// rounding to float32 where the kernels do.

import type { Bytes } from "../argument.js";
import type { PixelMap } from "../pixel-map.js";

// ---------------------------------------------------------------------------------- pixels → y

/** Pixels → three planes. `levels` says what each byte becomes (see pixel-map.ts). */
export function pixelsToPlanes(
  x: Bytes,
  bytes: 3 | 4,
  y: Float32Array,
  red: 0 | 2,
  levels: Float32Array,
): void {
  look(words(x, bytes), y, 1, y.length / 3, red, levels);
}

/** Pixels → three interleaved channels. */
export function pixelsToColumns(
  x: Bytes,
  bytes: 3 | 4,
  y: Float32Array,
  red: 0 | 2,
  levels: Float32Array,
): void {
  look(words(x, bytes), y, 3, 1, red, levels);
}

/** Values lie `next` apart from pixel to pixel, and `apart` from channel to channel. */
function look(
  x: Int32Array,
  y: Float32Array,
  next: number,
  apart: number,
  red: number,
  levels: Float32Array,
): void {
  const pixels = x.length;
  // Red goes to y[k], green and blue `on` further each.
  const on = red === 0 ? apart : -apart;
  const levelR = red << 8;
  const levelB = (2 - red) << 8;
  let i = 0;
  let k = red * apart;
  for (; i + 1 < pixels; i += 2, k += 2 * next) {
    put(x[i], y, k, on, levels, levelR, levelB);
    put(x[i + 1], y, k + next, on, levels, levelR, levelB);
  }
  if (i < pixels) put(x[i], y, k, on, levels, levelR, levelB);
}

function put(
  word: number,
  y: Float32Array,
  k: number,
  on: number,
  levels: Float32Array,
  levelR: number,
  levelB: number,
): void {
  y[k] = levels[levelR + (word & 255)];
  y[k + on] = levels[256 + ((word >> 8) & 255)];
  y[k + 2 * on] = levels[levelB + ((word >> 16) & 255)];
}

/** Pixels → one channel of gray. */
export function pixelsToGray(x: Bytes, bytes: 3 | 4, y: Float32Array, levels: Float32Array): void {
  const pixels = words(x, bytes);
  for (let i = 0; i < pixels.length; i++) y[i] = levels[luma(pixels[i])];
}

/** A word a pixel, red lowest: x itself where it is RGBA and aligned, otherwise a copy. */
function words(x: Bytes, bytes: 3 | 4): Int32Array {
  if (bytes === 4) {
    const { buffer, byteOffset, length } = x.byteOffset % 4 === 0 ? x : new Uint8Array(x);
    return new Int32Array(buffer, byteOffset, length >> 2);
  }
  const packed = new Int32Array(x.length / 3);
  for (let i = 0, k = 0; i < packed.length; i++, k += 3) {
    packed[i] = x[k] | (x[k + 1] << 8) | (x[k + 2] << 16);
  }
  return packed;
}

/** ITU-R BT.601 luma, rounded to 8 bits by the integers of Pillow's convert("L"). */
function luma(word: number): number {
  return (19595 * (word & 255) + 38470 * ((word >> 8) & 255) + 7471 * ((word >> 16) & 255) + 2 ** 15) >> 16;
}

// ---------------------------------------------------------------------------------- y → pixels

/** Three planes → RGBA. */
export function planesToPixels(x: Float32Array, red: 0 | 2, y: Bytes, map: PixelMap): void {
  gather(x, 1, x.length / 3, red, y, map);
}

/** Three interleaved channels → RGBA. */
export function columnsToPixels(x: Float32Array, red: 0 | 2, y: Bytes, map: PixelMap): void {
  gather(x, 3, 1, red, y, map);
}

function gather(
  x: Float32Array,
  next: number,
  apart: number,
  red: number,
  y: Bytes,
  { scale, shift }: PixelMap,
): void {
  const on = red === 0 ? apart : -apart;
  const blue = 2 - red;
  const [scaleR, scaleG, scaleB] = [scale[red], scale[1], scale[blue]];
  const [shiftR, shiftG, shiftB] = [shift[red], shift[1], shift[blue]];
  const pixels = room(y);
  for (let i = 0, k = red * apart; i < pixels.length; i++, k += next) {
    const r = byte(x[k], scaleR, shiftR);
    const g = byte(x[k + on], scaleG, shiftG);
    const b = byte(x[k + 2 * on], scaleB, shiftB);
    pixels[i] = 0xff000000 | (b << 16) | (g << 8) | r;
  }
  land(pixels, y);
}

/** One channel of gray → RGBA, red, green and blue alike. */
export function grayToPixels(x: Float32Array, y: Bytes, { scale, shift }: PixelMap): void {
  const [s, b] = [scale[0], shift[0]];
  const pixels = room(y);
  for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | (byte(x[i], s, b) * 0x010101);
  land(pixels, y);
}

/** 2⁵²: a sum as large as this has no fraction, so that adding it rounds to even. */
const WHOLE = 4503599627370496;

/** v = y·scale + shift in float32, rounded to even and saturated; NaN: 0, as in a Uint8ClampedArray. */
function byte(y: number, scale: number, shift: number): number {
  const v = Math.fround(Math.fround(y * scale) + shift);
  const clamped = v > 0 ? (v < 255 ? v : 255) : 0;
  return (clamped + WHOLE - WHOLE) | 0;
}

/** Room for the pixels of y, a word each: y itself where it is aligned. */
function room({ buffer, byteOffset, length }: Bytes): Int32Array {
  return byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length >> 2) : new Int32Array(length >> 2);
}

/** Brings pixels that were written elsewhere to y. */
function land(pixels: Int32Array, y: Bytes): void {
  if (pixels.buffer !== y.buffer) y.set(new Uint8Array(pixels.buffer));
}

// ---------------------------------------------------------------------------------- statistics

/** Adds Σv and Σv² of an image to `sums`, [Σr Σg Σb – Σr² Σg² Σb² –]: integers, exact up to 2⁵³. */
export function pixelSums(x: Bytes, bytes: 3 | 4, sums: Float64Array): void {
  let [sumR, sumG, sumB, , squareR, squareG, squareB] = sums;
  const pixels = words(x, bytes);
  for (let i = 0; i < pixels.length; i++) {
    const word = pixels[i];
    const r = word & 255;
    const g = (word >> 8) & 255;
    const b = (word >> 16) & 255;
    sumR += r;
    sumG += g;
    sumB += b;
    squareR += r * r;
    squareG += g * g;
    squareB += b * b;
  }
  sums.set([sumR, sumG, sumB]);
  sums.set([squareR, squareG, squareB], 4);
}

/** The same of gray: [Σv Σv²]. */
export function graySums(x: Bytes, bytes: 3 | 4, sums: Float64Array): void {
  let [sum, square] = sums;
  const pixels = words(x, bytes);
  for (let i = 0; i < pixels.length; i++) {
    const v = luma(pixels[i]);
    sum += v;
    square += v * v;
  }
  sums.set([sum, square]);
}
