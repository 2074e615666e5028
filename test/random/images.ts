// Random images there and back, against the formula in float64: any order, layout, mean and deviation, bytes at any
// place, results in arrays, views and tensors.

import fc from "fast-check";
import { ImageScaler, Tensor } from "simdnorm";
import { expect } from "vitest";
import { uniform } from "../data.js";
import { eachPixelValue, type ImageMap, luma, pixel, ulp } from "../reference.js";
import { expectSame, type Place, place, put, saved } from "./places.js";

export interface ImageCase {
  readonly channels: "RGB" | "BGR" | "gray";
  readonly layout: "NCHW" | "NHWC";
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly bytes: 3 | 4;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: "random" | "constant" | "two values";
  readonly seed: number;
  /** Where the bytes of an image begin, in a buffer or in linear memory. */
  readonly resident: boolean;
  readonly offset: number;
  readonly place: Place;
  readonly json: boolean;
}

const GUARD = 99;

/** Bytes at an odd place, and what lies around them. */
function bytesAt(bytes: Uint8Array, { resident }: ImageCase, offset: number) {
  const [before, after] = [5 + offset, 11];
  const length = before + bytes.length + after;
  const tensor = resident ? new Tensor([Math.ceil(length / 4)]) : undefined;
  const own = new Uint8Array(tensor ? 0 : length);
  const all = () => (tensor ? new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, length) : own);
  all().fill(GUARD);
  const view = () => all().subarray(before, before + bytes.length);
  view().set(bytes);
  return {
    view,
    intact: () =>
      [all().subarray(0, before), all().subarray(before + bytes.length)].every((guard) =>
        guard.every((value) => value === GUARD),
      ),
    free: () => tensor?.dispose(),
  };
}

function pixelsOf(c: ImageCase, image: number): Uint8Array {
  const random = uniform(c.seed + image);
  const length = c.width * c.height * c.bytes;
  return Uint8Array.from({ length }, (_, i) => {
    if (c.pixels === "constant") return 7 + 50 * (i % c.bytes) + image;
    return c.pixels === "random" ? 256 * random() : random() < 0.5 ? 255 : 0;
  });
}

function runOf(c: ImageCase, offset: number, where: Place): ArrayLike<number>[] {
  const { channels, layout, width, height, bytes, count } = c;
  const features = channels === "gray" ? 1 : 3;
  const way: ImageMap = { channels, layout, mean: c.mean.slice(0, features), std: c.std.slice(0, features) };
  const scaler = saved(new ImageScaler(way), c.json, ImageScaler);
  const sources = Array.from({ length: count }, (_, i) => pixelsOf(c, i));
  const standing = sources.map((source, i) => bytesAt(source, c, offset + i));
  const each = features * width * height;
  const sizes = layout === "NCHW" ? [features, height, width] : [height, width, features];
  const shape = count === 1 && c.seed % 2 === 0 ? sizes : [count, ...sizes];
  const out = put(new Float32Array(count * each), where, shape);
  const painted = sources.map((_, i) => bytesAt(new Uint8Array(4 * width * height), c, offset + i + 2));
  try {
    // Views are taken when all memory is there.
    const images = standing.map(({ view }) => ({ data: view(), width, height }));
    const given = count === 1 ? images[0] : images;
    const target = out.given;
    expect(Reflect.apply(scaler.apply, scaler, [given, { out: target }])).toBe(target);
    const y = out.view().slice();
    expectSame(
      "a new array",
      [scaler.apply(standing.map(({ view }) => ({ data: view(), width, height })))],
      [y],
    );
    const tables = Array.from(way.mean, (mean, channel) =>
      Array.from({ length: 256 }, (_, v) => pixel(v, mean, way.std[channel])),
    );
    sources.forEach((source, i) => {
      eachPixelValue(source, bytes, way, (at, channel, v) => {
        const term = tables[channel][v];
        const found = y[i * each + at];
        if (!(Math.abs(found - term.y) <= ulp(term.largest))) {
          expect.fail(`image ${i} at ${at}: ${found} for ${term.y} of ${v}`);
        }
      });
    });

    const opaque = sources.map((source) =>
      Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => {
        const [r, g, b] = source.subarray(bytes * (i >> 2), bytes * (i >> 2) + 3);
        return i % 4 === 3 ? 255 : channels === "gray" ? luma(r, g, b) : [r, g, b][i % 4];
      }),
    );
    const back = painted.map(({ view }) => ({ data: view(), width, height }));
    const into = count === 1 && shape.length === 3 ? back[0] : back;
    expect(Reflect.apply(scaler.inverse, scaler, [out.given, { out: into }])).toBe(into);
    painted.forEach(({ view }, i) => {
      expectSame(`image ${i}, back`, [view()], [opaque[i]]);
    });
    const fresh = scaler.inverse(y, { width, height });
    (Array.isArray(fresh) ? fresh : [fresh]).forEach(({ data }, i) => {
      expectSame(`image ${i}, back in new memory`, [data], [opaque[i]]);
    });

    // Sums are integers: Σv and Σv² below 2⁵³, mean and deviation a few roundings from them.
    const fitted = ImageScaler.fit(
      standing.map(({ view }) => ({ data: view(), width, height })),
      { channels, layout },
    );
    const parts = standing.map(({ view }) =>
      saved(ImageScaler.fit([{ data: view(), width, height }], { channels, layout }), c.json, ImageScaler),
    );
    for (const part of parts.slice(1)) parts[0].merge(part);
    expect(parts[0].toJSON()).toEqual(fitted.toJSON());
    const [sum, squares] = [new Float64Array(features), new Float64Array(features)];
    for (const source of sources) {
      eachPixelValue(source, bytes, way, (_, channel, v) => {
        sum[channel] += v;
        squares[channel] += v * v;
      });
    }
    const n = count * width * height;
    expect(fitted.count).toBe(n);
    sum.forEach((s, channel) => {
      // n·Σv² − (Σv)² is below 2⁵³ for these sizes, and exact.
      const spread = n * squares[channel] - s * s;
      expect(Math.abs(fitted.mean[channel] - s / n / 255)).toBeLessThanOrEqual(2 ** -51 * (s / n / 255));
      const std = spread === 0 ? 1 : Math.sqrt(spread) / n / 255;
      expect(Math.abs(fitted.std[channel] - std)).toBeLessThanOrEqual(2 ** -51 * std);
    });
    standing.forEach(({ view }, i) => {
      expectSame(`image ${i} itself`, [view()], [sources[i]]);
    });
    expect([out, ...standing, ...painted].every(({ intact }) => intact())).toBe(true);
    return [y, fitted.mean, fitted.std];
  } finally {
    for (const held of [out, ...standing, ...painted]) held.free();
  }
}

export function runImages(c: ImageCase): {
  results: ArrayLike<number>[];
  again: ArrayLike<number>[];
  intact: boolean;
} {
  const { where, offset } = c.place;
  return {
    results: runOf(c, c.offset, c.place),
    again: runOf(c, c.offset + 1, { where, offset: (offset + 1) % 8 }),
    intact: true,
  };
}

const side = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 220 }));

export const imageCases: fc.Arbitrary<ImageCase> = fc
  .record({
    channels: fc.constantFrom("RGB", "BGR", "gray"),
    layout: fc.constantFrom("NCHW", "NHWC"),
    mean: fc.array(
      fc.oneof(
        fc.constantFrom(0, 0.5, 0.485, 1, -1, 100, 1e-5, 1 / 255),
        fc.double({ min: -2, max: 2, noNaN: true }),
      ),
      { minLength: 3, maxLength: 3 },
    ),
    std: fc.array(
      fc.oneof(
        fc.constantFrom(1, 0.5, 0.229, 1 / 255, -1, 255, 1e-6, 1e6),
        fc.double({ min: 0.01, max: 4, noNaN: true }),
      ),
      { minLength: 3, maxLength: 3 },
    ),
    bytes: fc.constantFrom(3, 4),
    count: fc.integer({ min: 1, max: 3 }),
    width: side,
    height: side,
    pixels: fc.constantFrom("random", "random", "constant", "two values"),
    seed: fc.nat(),
    resident: fc.boolean(),
    offset: fc.integer({ min: 0, max: 4 }),
    place,
    json: fc.boolean(),
  })
  .filter(({ count, width, height }) => count * width * height <= 40_000);
