// What an image is as an argument: 8-bit pixels and their sizes, checked.

import { type Bytes, inUse, isBytes, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import type { Pixels } from "./backend.js";

/** 8-bit pixels, row by row: an `ImageData`, or what a decoder returns, such as a Buffer and its sizes. */
export interface ImageLike {
  /** Red, green, blue and alpha of every pixel, or red, green and blue. */
  readonly data: Bytes;
  /** Pixels of a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** An image of RGBA pixels. A canvas takes `new ImageData(image.data, image.width)`, which copies nothing. */
export interface RgbaImage extends ImageLike {
  /** Red, green, blue and alpha, 255, of every pixel. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** An image that was checked, each of its fields read once. */
export interface Image extends Pixels, Size {}

/** @throws TypeError, RangeError if it is not an image of 8-bit pixels */
export function imageOf(name: string, image: ImageLike): Image {
  return checked(name, read(name, image));
}

/**
 * One image, or several of one size, by the name of either.
 *
 * @throws TypeError, RangeError if one is none, or sizes differ
 */
export function imagesOf(one: string, all: string, value: ImageLike | readonly ImageLike[]): Image[] {
  if (!isArray(value)) return [imageOf(one, value)];
  if (value.length === 0) throw wrongValue(all, "at least one image", value);
  // All are read before one is checked: what is checked stays as it is.
  const fields = Array.from(value, (image, i) => read(`${all}[${i}]`, image));
  const images = fields.map((image, i) => checked(`${all}[${i}]`, image));
  images.forEach((image, i) => {
    checkSize(`${all}[${i}]`, image, images[0]);
  });
  return images;
}

function read(name: string, image: ImageLike): ImageLike {
  if (image === null || typeof image !== "object" || ArrayBuffer.isView(image)) {
    throw wrongKind(name, "an image { data, width, height }", image);
  }
  const { data, width, height } = image;
  return { data, width, height };
}

function checked(name: string, { data: given, width, height }: ImageLike): Image {
  if (!isBytes(given)) throw notBytes(`${name}.data`, given);
  const data = inUse(`${name}.data`, given);
  const count = positiveInteger(`${name}.width`, width) * positiveInteger(`${name}.height`, height);
  if (data.length === 4 * count) return { data, bytes: 4, count, width, height };
  if (data.length === 3 * count) return { data, bytes: 3, count, width, height };
  const expected = `${4 * count} bytes (RGBA) or ${3 * count} (RGB) for ${width} × ${height} pixels`;
  throw wrongValue(`${name}.data`, expected, data.length);
}

/** @throws RangeError if the sizes differ */
export function checkSize(name: string, got: Size, { width, height }: Size): void {
  if (got.width === width && got.height === height) return;
  throw wrongValue(name, `${width} × ${height} pixels`, `${got.width} × ${got.height}`);
}

/** @throws RangeError if the two share memory: they are of different kinds, and one would be overwritten unread */
export function checkApart(out: ArrayBufferView, name: string, input: ArrayBufferView): void {
  if (out.buffer !== input.buffer) return;
  if (out.byteOffset >= input.byteOffset + input.byteLength) return;
  if (input.byteOffset >= out.byteOffset + out.byteLength) return;
  throw new RangeError(`out: expected memory apart from ${name}, got an overlap of the two`);
}

/** `Array.isArray` does not narrow what is readonly. */
function isArray(value: ImageLike | readonly ImageLike[]): value is readonly ImageLike[] {
  return Array.isArray(value);
}

function notBytes(name: string, data: unknown): TypeError {
  const error = wrongKind(name, "a Uint8ClampedArray or a Uint8Array", data);
  if (data === undefined) error.message += " (of a canvas: context.getImageData(0, 0, width, height))";
  else if (ArrayBuffer.isView(data)) error.message += " (images have 8 bits per channel)";
  return error;
}
