// Images become the numbers that networks take, and come back.

import {
  checkObject,
  checkOptions,
  checkSame,
  isList,
  lengthOf,
  numberIn,
  oneOf,
  type Plain,
  positiveInteger,
  show,
  wrongKind,
  wrongValue,
} from "./argument.js";
import { type Order, viewOf } from "./backend.js";
import type { Into, OutOption } from "./call.js";
import { imageStepsFor } from "./environment.js";
import {
  checkApart,
  checkSize,
  type Image,
  type ImageLike,
  imageOf,
  imagesOf,
  type RgbaImage,
  type Size,
} from "./image.js";
import { fieldsOf, type JsonNumber, listFromJson, listToJson, type Parsed } from "./json.js";
import { type PixelTable, pixelTable } from "./pixel-map.js";
import { PixelSums, type PixelSumsJSON } from "./pixel-sums.js";
import { isA, Shown } from "./shown.js";
import { type Data, isTensor, valuesOf } from "./tensor.js";

const OPTIONS = ["mean", "std", "channels", "layout"];
const FIT = ["channels", "layout"];
const APPLY = ["out"];
const INVERSE = ["out", "width", "height"];

type Channels = Order["channels"];
type PixelLayout = Order["layout"];

/** The order of an image's values. */
export interface ImageOrderOptions extends Plain {
  /** What becomes of red, green and blue: these, in reverse, or ITU-R BT.601 luma. Default: `"RGB"`. */
  channels?: Channels | undefined;
  /** Channels as planes or side by side. Default: `"NCHW"`, planes. */
  layout?: PixelLayout | undefined;
}

/** What is subtracted from pixels, and what they are divided by. */
export interface ImageScalerOptions extends ImageOrderOptions {
  /** In units of [0, 1]: a number for each channel, in the order of `channels`, or one for all. Default: 0. */
  mean?: number | ArrayLike<number> | undefined;
  /** The same. Default: 1. */
  std?: number | ArrayLike<number> | undefined;
}

/** Where pixels go, and how many there are. */
export interface InverseOptions<Y> extends OutOption<Y> {
  /** Pixels of a row: needed for an array without `out`. A tensor carries its sizes. */
  width?: number | undefined;
  /** Rows: needed for an array without `out`. */
  height?: number | undefined;
}

/** The whole state, as `toJSON` returns it. */
export interface ImageScalerJSON {
  /** The option of this name. */
  channels: Channels;
  /** The option of this name. */
  layout: PixelLayout;
  /** Per channel, in units of [0, 1]. */
  mean: JsonNumber[];
  /** Per channel, in units of [0, 1]. */
  std: JsonNumber[];
  /** What `fit` has summed; null where mean and std were given. */
  sums: PixelSumsJSON | null;
}

/**
 * y = (v/255 − mean)/std for 8-bit pixels v, per channel, and back. Alpha is dropped.
 *
 *     const scaler = new ImageScaler({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
 *     scaler.apply(context.getImageData(0, 0, 224, 224));      // Float32Array, [1, 3, 224, 224]
 *     scaler.apply(images, { out: tensor });                   // nothing is copied out
 *     ImageScaler.fit(images);                                 // mean and std of images of yours
 */
export class ImageScaler extends Shown {
  readonly #order: Order;
  #mean: Float64Array;
  #std: Float64Array;
  #sums: PixelSums | undefined;
  #table: PixelTable | undefined;

  /**
   * @param options `mean` and `std`, the order of `channels`, and their `layout`
   * @throws TypeError, RangeError if an option is not valid
   */
  constructor(options: ImageScalerOptions = {}) {
    super();
    checkOptions(options, OPTIONS);
    const { mean = 0, std = 1, channels = "RGB", layout = "NCHW" } = options;
    this.#order = orderOf(channels, layout);
    this.#mean = perChannel("mean", mean, this.#features, "a number that float32 holds", isMean);
    this.#std = perChannel("std", std, this.#features, "a number other than 0 that float32 holds", isStd);
  }

  /**
   * A scaler with mean and biased standard deviation of images of any sizes. A constant channel has std 1, so that it
   * becomes 0. Sums are integers: fits of parts merge into the fit of the whole, bit for bit.
   *
   * @param images an array, or a generator that decodes one after the other
   * @param options the order of `channels`, and their `layout`, of the scaler
   * @throws TypeError, RangeError if one of them is not an image, or there are none
   */
  static fit(images: Iterable<ImageLike>, options: ImageOrderOptions = {}): ImageScaler {
    checkOptions(options, FIT);
    const { channels = "RGB", layout = "NCHW" } = options;
    const order = orderOf(channels, layout);
    checkObject("images", images);
    if (!(Symbol.iterator in images)) throw wrongKind("images", "an array of images, or an iterable", images);
    const gray = order.channels === "gray";
    const sums = PixelSums.none(gray ? 1 : 3);
    let i = 0;
    for (const image of images) {
      const pixels = imageOf(`images[${i++}]`, image);
      const found = imageStepsFor(pixels.count).sums(pixels, gray);
      sums.merge(PixelSums.of(pixels.count, found, order.channels));
    }
    if (i === 0) throw wrongValue("images", "at least one image", "none");
    const scaler = new ImageScaler(order);
    scaler.#follow(sums);
    return scaler;
  }

  /** The option of this name. */
  get channels(): Channels {
    return this.#order.channels;
  }

  /** The option of this name. */
  get layout(): PixelLayout {
    return this.#order.layout;
  }

  /** Per channel, in units of [0, 1]; a copy. */
  get mean(): Float64Array<ArrayBuffer> {
    return this.#mean.slice();
  }

  /** Per channel, in units of [0, 1]; a copy. */
  get std(): Float64Array<ArrayBuffer> {
    return this.#std.slice();
  }

  /** Pixels that it was fitted to. undefined where mean and std were given. */
  get count(): number | undefined {
    return this.#sums && Number(this.#sums.count);
  }

  get #features(): 1 | 3 {
    return this.#order.channels === "gray" ? 1 : 3;
  }

  get #prepared(): PixelTable {
    this.#table ??= pixelTable(this.#mean, this.#std);
    return this.#table;
  }

  /**
   * Writes y = (v/255 − mean)/std into `out`, rounded to float32: within 1 ULP of the largest of its terms, v/255/std, mean/std and y.
   *
   * @param image an image, or several of one size: 3 or 4 bytes a pixel
   * @param options `out`
   * @returns `out`: N × C × H × W values, or N × H × W × C. A tensor of one image may lack the N
   * @throws TypeError, RangeError, ReferenceError if an argument does not fit; nothing is written
   */
  apply<Y extends Data>(image: ImageLike | readonly ImageLike[], options: Into<Y>): Y;
  /**
   * The same into a new array.
   *
   * @param image an image, or several of one size: 3 or 4 bytes a pixel
   * @param options none
   * @returns N × C × H × W values, or N × H × W × C
   */
  apply(image: ImageLike | readonly ImageLike[], options?: OutOption<never>): Float32Array<ArrayBuffer>;
  apply(image: ImageLike | readonly ImageLike[], options: OutOption<Data> = {}): Data {
    checkOptions(options, APPLY);
    const { out } = options;
    const images = imagesOf("image", "images", image);
    const { count } = images[0];
    const each = this.#features * count;
    if (out !== undefined) this.#checkOut(out, images);
    const y = out ?? new Float32Array(images.length * each);
    const values = valuesOf("out", y);
    const steps = imageStepsFor(count);
    images.forEach((pixels, i) => {
      steps.apply(pixels, this.#order, this.#prepared, values, i * each);
    });
    return y;
  }

  /**
   * Writes v = 255·(y·std + mean) into `out`, rounded to even and saturated; NaN becomes 0, alpha is 255, gray is red, green and blue.
   *
   * @param x values as `apply` returns them; a tensor with or without the N
   * @param options `out`: an image, or as many as x has
   * @returns `out`
   * @throws TypeError, RangeError, ReferenceError if an argument does not fit; nothing is written
   */
  inverse<Y extends ImageLike | readonly ImageLike[]>(x: Data, options: InverseOptions<Y> & Into<Y>): Y;
  /**
   * The same into new images.
   *
   * @param x values as `apply` returns them; a tensor with or without the N
   * @param options `width` and `height`, which a tensor carries
   * @returns an image; an array of images for several, and for a tensor with four axes
   */
  inverse(x: Data, options?: InverseOptions<never>): RgbaImage | RgbaImage[];
  inverse(
    x: Data,
    options: InverseOptions<ImageLike | readonly ImageLike[]> = {},
  ): ImageLike | readonly ImageLike[] {
    checkOptions(options, INVERSE);
    const { out, width, height } = options;
    // Before the values, because the fields of an image may be getters.
    const outputs = out === undefined ? undefined : imagesOf("out", "out", out);
    const values = valuesOf("x", x);
    const size = this.#sizeOf(x, width, height, outputs);
    const each = this.#features * size.width * size.height;
    const { length } = viewOf(values);
    const count = length / each;
    if (!Number.isInteger(count) || count === 0) {
      const sizes = this.#shape(size.height, size.width).join(" × ");
      throw wrongValue("x", `one or more images of ${sizes} = ${each} values`, length);
    }
    if (outputs) checkOutputs(outputs, count, viewOf(values));
    const made = outputs ? [] : Array.from({ length: count }, () => blank(size));
    const images = outputs ?? made.map((image) => imageOf("out", image));
    const steps = imageStepsFor(images[0].count);
    images.forEach((pixels, i) => {
      steps.inverse(values, i * each, this.#order, this.#prepared, pixels);
    });
    const several = isTensor(x) ? x.shape.length === 4 : count > 1;
    return out ?? (several ? made : made[0]);
  }

  /**
   * Adds what the other was fitted to.
   *
   * @param other a scaler that was fitted, with the same options; it stays as it is
   * @returns this
   * @throws TypeError if it is not an ImageScaler, or mean and std of one of the two were given; RangeError if it has
   * other options
   */
  merge(other: ImageScaler): this {
    if (!isA(other, ImageScaler)) throw wrongKind("other", "an ImageScaler", other);
    checkSame(this, other, ["channels", "layout"]);
    const sums = sumsOf("this", this.#sums);
    sums.merge(sumsOf("other", other.#sums));
    this.#follow(sums);
    return this;
  }

  /** The whole state, exact. */
  toJSON(): ImageScalerJSON {
    const { channels, layout, mean, std } = this;
    const sums = this.#sums?.toJSON() ?? null;
    return { channels, layout, mean: listToJson(mean), std: listToJson(std), sums };
  }

  /**
   * The scaler that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<ImageScalerJSON>): ImageScaler {
    const { channels, layout, mean, std, sums } = fieldsOf("json", json);
    const order = orderOf(channels, layout);
    const features = order.channels === "gray" ? 1 : 3;
    const scaler = new ImageScaler({
      ...order,
      mean: listFromJson("mean", mean, features),
      std: listFromJson("std", std, features),
    });
    if (sums === null) return scaler;
    const given = { mean: scaler.mean, std: scaler.std };
    scaler.#follow(PixelSums.fromJSON(features, sums));
    for (const name of ["mean", "std"] as const) {
      const [expected, got] = [scaler[name], given[name]].map((values) => values.join(", "));
      if (got !== expected) throw wrongValue(name, `what follows from sums, ${expected}`, got);
    }
    return scaler;
  }

  /** From now on mean and std are those of the sums. */
  #follow(sums: PixelSums): void {
    this.#sums = sums;
    this.#mean = sums.mean;
    this.#std = sums.std;
    this.#table = undefined;
  }

  /** That `out` has room for the images' values, and is apart from them. */
  #checkOut(out: Data, images: readonly Image[]): void {
    const view = viewOf(valuesOf("out", out));
    const [{ width, height, count }] = images;
    const sizes = this.#shape(height, width);
    const length = images.length * this.#features * count;
    if (isTensor(out)) {
      const shapes = [[images.length, ...sizes], ...(images.length === 1 ? [sizes] : [])].map(show);
      const got = show(out.shape);
      if (!shapes.includes(got)) throw wrongValue("out", `the shape ${shapes.join(" or ")}`, got);
    } else if (view.length !== length) {
      throw wrongValue(
        "out",
        `a length of ${length} = ${[images.length, ...sizes].join(" × ")}`,
        view.length,
      );
    }
    for (const { data } of images) checkApart(view, "the image", data);
  }

  /** The sizes of the images that come back, from wherever they are known; all of these must agree. */
  #sizeOf(x: Data, width: unknown, height: unknown, outputs: readonly Image[] | undefined): Size {
    let size = isTensor(x) ? this.#sizeIn(x.shape) : outputs?.[0];
    if (size === undefined || width !== undefined || height !== undefined) {
      const given = { width: positiveInteger("width", width), height: positiveInteger("height", height) };
      if (size) checkSize("width, height", given, size);
      size = given;
    }
    if (outputs) checkSize("out", outputs[0], size);
    return size;
  }

  /** The sizes that a tensor's shape says. */
  #sizeIn(shape: readonly number[]): Size {
    const sizes = shape.slice(-3);
    const [height, width] = this.#order.layout === "NCHW" ? sizes.slice(1) : sizes;
    const all = [...shape.slice(0, -3), ...this.#shape(height, width)];
    const fits = (shape.length === 3 || shape.length === 4) && show(all) === show(shape);
    if (fits && shape.every((size) => size > 0)) return { width, height };
    const expected = this.#order.layout === "NCHW" ? `${this.#features}, H, W` : `H, W, ${this.#features}`;
    throw wrongValue("x", `the shape [N, ${expected}] or [${expected}] of images`, shape);
  }

  /** Channels, height and width, as the layout has them. */
  #shape(height: number, width: number): number[] {
    const features = this.#features;
    return this.#order.layout === "NCHW" ? [features, height, width] : [height, width, features];
  }
}

function orderOf(channels: unknown, layout: unknown): Order {
  return {
    channels: oneOf("channels", channels, ["RGB", "BGR", "gray"]),
    layout: oneOf("layout", layout, ["NCHW", "NHWC"]),
  };
}

/** Beyond them coefficients in float32 overflow or vanish. */
const isMean = (n: number) => Math.abs(n) <= 2 ** 100;
const isStd = (n: number) => Math.abs(n) >= 2 ** -100 && Math.abs(n) <= 2 ** 100;

function perChannel(
  name: string,
  given: unknown,
  channels: number,
  expected: string,
  valid: (n: number) => boolean,
): Float64Array {
  if (!isList(given)) {
    if (typeof given !== "number") throw wrongKind(name, `a number, or an array of ${channels}`, given);
    return new Float64Array(channels).fill(numberIn(name, given, expected, valid));
  }
  const length = lengthOf(name, given);
  if (length !== channels) throw wrongValue(name, `a length of ${channels}, one per channel`, length);
  return Float64Array.from(Array.from(given), (n, c) => numberIn(`${name}[${c}]`, n, expected, valid));
}

/** That images for results are as many, RGBA, and apart from the values and from each other. */
function checkOutputs(outputs: readonly Image[], count: number, x: ArrayBufferView): void {
  if (outputs.length !== count) throw wrongValue("out", `${count} images`, outputs.length);
  outputs.forEach(({ data, bytes }, i) => {
    if (bytes !== 4) throw wrongValue("out", "RGBA, 4 bytes a pixel", "3");
    checkApart(data, "x", x);
    for (let j = 0; j < i; j++) checkApart(data, "the other images", outputs[j].data);
  });
}

function blank({ width, height }: Size): RgbaImage {
  return { data: new Uint8ClampedArray(4 * width * height), width, height };
}

function sumsOf(name: string, sums: PixelSums | undefined): PixelSums {
  if (sums === undefined) {
    throw new TypeError(`${name}: expected a scaler that was fitted, got given mean and std`);
  }
  return sums;
}
