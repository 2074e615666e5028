// Pixels in both modules, debug and release, and in JavaScript: the same tests for all three.

import { describe, expect, test } from "vitest";
import { pixelMap, pixelTable } from "../../src/pixel-map.js";
import { uniform } from "../data.js";
import { eachPixelValue, type ImageMap, luma, pixel, u, ulp } from "../reference.js";
import { floats, implementations, modules, painted, same } from "./implementations.js";

const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Every way in which an image becomes numbers. */
const ways: ImageMap[] = [
  { channels: "RGB", layout: "NCHW", ...imageNet },
  { channels: "BGR", layout: "NCHW", ...imageNet },
  { channels: "RGB", layout: "NHWC", ...imageNet },
  { channels: "BGR", layout: "NHWC", ...imageNet },
  { channels: "gray", layout: "NCHW", mean: [0.1307], std: [0.3081] },
];

/** Every tail of 4 and of 8 pixels, none, one and more whole turns, and a real image. */
const COUNTS = [...Array.from({ length: 40 }, (_, i) => i + 1), 63, 64, 65, 127, 128, 129, 640 * 480];

/** Pixels in which every channel takes all 256 values, in an order of its own, over and over. */
function imageOf(count: number, bytes: number): Uint8Array {
  const image = new Uint8Array(count * bytes);
  for (let p = 0, i = 0; p < count; p++) {
    for (let c = 0; c < bytes; c++) image[i++] = p * [1, 37, 101, 11][c] + (p >> 8) * 59 + 97 * c;
  }
  return image;
}

/** How many values differ from what the table says, and the largest error against the formula, in ULP of the largest term. */
function errorsOf(y: Float32Array, image: Uint8Array, bytes: number, way: ImageMap) {
  const { levels } = pixelTable(way.mean, way.std);
  const exact = Array.from(way.mean, (mean, c) =>
    Array.from({ length: 256 }, (_, v) => pixel(v, mean, way.std[c])),
  );
  let different = 0;
  let error = 0;
  eachPixelValue(image, bytes, way, (i, c, v) => {
    if (!Object.is(y[i], levels[256 * c + v])) different++;
    const term = exact[c][v];
    error = Math.max(error, Math.abs(y[i] - term.y) / ulp(term.largest));
  });
  return { different, error };
}

describe.each(Object.entries(implementations))("%s", (name, implementation) => {
  describe.each(ways)("$channels, $layout", (way) => {
    const channels = way.mean.length;
    const map = pixelMap(way.mean, way.std);

    test.each([4, 3] as const)("%i bytes a pixel: every number of pixels", (bytes) => {
      for (const count of COUNTS) {
        const image = imageOf(count, bytes);
        const { x, y, from, to, intact } = painted(implementation, image.length, 0, 4 * channels * count, 0);
        x.set(image);
        implementation.toFloat(from, bytes, to, way, map);
        const { different, error } = errorsOf(floats(y), image, bytes, way);
        expect(different).toBe(0);
        // See pixel-map.test.ts.
        expect(error).toBeLessThanOrEqual(1);
        expect(same(x, image)).toBe(true);
        expect(intact()).toBe(true);
      }
    });

    test("every alignment, there and back", () => {
      for (const count of [1, 5, 8, 23]) {
        for (const bytes of [3, 4] as const) {
          const image = imageOf(count, bytes);
          for (let shift = 0; shift < 16; shift++) {
            // JavaScript has no float32 at odd addresses.
            for (const other of name === "javascript" ? [0, 4, 12] : [0, 1, 4, 15]) {
              const there = painted(implementation, image.length, shift, 4 * channels * count, other);
              there.x.set(image);
              implementation.toFloat(there.from, bytes, there.to, way, map);
              const values = floats(there.y);
              expect(errorsOf(values, image, bytes, way).different).toBe(0);
              expect(there.intact()).toBe(true);

              const back = painted(implementation, 4 * values.length, other, 4 * count, shift);
              back.x.set(new Uint8Array(values.buffer));
              implementation.toPixels(back.from, back.to, way, map);
              expect(same(back.y, opaque(image, bytes, way))).toBe(true);
              expect(back.intact()).toBe(true);
            }
          }
        }
      }
    });

    test("there and back is the same image, for every number of pixels and the usual maps", () => {
      const maps = [
        [0, 1],
        [0.5, 0.5],
        [0.485, 0.229],
        [0.406, 0.225],
        [0.48145466, 0.26862954],
        [123.68 / 255, 1 / 255],
        [-3, 0.01],
        [64, 2],
      ];
      for (const [mean, std] of maps) {
        const other = {
          ...way,
          mean: way.mean.length === 1 ? [mean] : [mean, 0.3, mean],
          std: [std, 0.2, std],
        };
        const otherMap = pixelMap(other.mean, other.std);
        for (const count of COUNTS.slice(0, -1).concat(256)) {
          const image = imageOf(count, 4);
          const { x, y, from, to } = painted(implementation, image.length, 0, 4 * channels * count, 0);
          x.set(image);
          implementation.toFloat(from, 4, to, other, otherMap);
          const values = y.slice();
          const back = painted(implementation, values.length, 0, image.length, 0);
          back.x.set(values);
          implementation.toPixels(back.from, back.to, other, otherMap);
          expect(same(back.y, opaque(image, 4, way))).toBe(true);
        }
      }
    });

    test("back: NaN, infinities, ties and zeros as a Uint8ClampedArray, for every number of pixels", () => {
      // y·1 + 0: what is rounded is y itself.
      const identity = pixelMap(new Array(channels).fill(0), new Array(channels).fill(1 / 255));
      const values = [
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        3e38,
        -3e38,
        0,
        -0,
        1e-45,
      ];
      for (let v = -2; v <= 257; v++) values.push(v, v + 0.5, v + 0.49999, v - 0.49999);
      for (const count of [...COUNTS.slice(0, -1), 1100]) {
        const x = Float32Array.from(
          { length: channels * count },
          (_, i) => values[(i + 31 * count) % values.length],
        );
        const back = painted(implementation, 4 * x.length, 0, 4 * count, 0);
        back.x.set(new Uint8Array(x.buffer));
        implementation.toPixels(back.from, back.to, way, identity);
        expect(back.y).toEqual(rgba(Uint8ClampedArray.from(x), count, way));
        expect(floats(back.x)).toEqual(x);
        expect(back.intact()).toBe(true);
      }
    });

    test("back: any values, to within what float32 knows of them", () => {
      const count = 1001;
      const random = uniform(5);
      const x = Float32Array.from({ length: channels * count }, () => 6 * (random() - 0.5));
      const back = painted(implementation, 4 * x.length, 0, 4 * count, 0);
      back.x.set(new Uint8Array(x.buffer));
      implementation.toPixels(back.from, back.to, way, map);
      let worst = 0;
      eachRgba(count, way, (i, c, at) => {
        const [scale, shift] = [255 * way.std[c], 255 * way.mean[c]];
        const v = x[i] * scale + shift;
        // Roundings of scale, of the product, of shift and of the sum; then half a byte.
        const bound = u * (2 * Math.abs(x[i] * scale) + Math.abs(shift) + Math.abs(v));
        const clamped = Math.min(255, Math.max(0, v));
        worst = Math.max(worst, Math.abs(back.y[at] - clamped) - 0.5 - bound);
      });
      expect(worst).toBeLessThanOrEqual(0);
    });

    test.each([4, 3] as const)("%i bytes a pixel: nothing beyond the end of memory is touched", (bytes) => {
      // A page of its own behind everything; in JavaScript the end of a buffer.
      const { memory } = implementation;
      if (memory instanceof WebAssembly.Memory) memory.grow(1);
      const end = memory.buffer.byteLength;
      for (let count = 1; count <= 40; count++) {
        const image = imageOf(count, bytes);
        const start = end - (name === "javascript" ? (count * bytes + 15) & ~15 : count * bytes);
        const values = { pointer: (end - 4096) & ~15, length: 4 * channels * count };
        const atEnd = { pointer: start, length: image.length };
        new Uint8Array(memory.buffer, start, image.length).set(image);
        implementation.toFloat(atEnd, bytes, values, way, map);
        const y = floats(new Uint8Array(memory.buffer, values.pointer, values.length));
        expect(errorsOf(y, image, bytes, way).different).toBe(0);

        const floatsAtEnd = { pointer: end - values.length, length: values.length };
        new Uint8Array(memory.buffer, floatsAtEnd.pointer, values.length).set(new Uint8Array(y.buffer));
        const rgbaAt = { pointer: (end - 4096) & ~15, length: 4 * count };
        implementation.toPixels(floatsAtEnd, rgbaAt, way, map);
        const result = new Uint8Array(memory.buffer, rgbaAt.pointer, rgbaAt.length);
        expect(result).toEqual(opaque(image, bytes, way));
      }
    });
  });

  test("gray is luma for colours all over the cube", () => {
    const way: ImageMap = { channels: "gray", layout: "NCHW", mean: [0], std: [1 / 255] };
    const step = 5;
    const side = 256 / step + 1;
    const image = new Uint8Array(4 * Math.floor(side) ** 3);
    let i = 0;
    for (let r = 0; r < 256; r += step)
      for (let g = 0; g < 256; g += step)
        for (let b = 0; b < 256; b += step) image.set([r, g, b, r ^ b], 4 * i++);
    const used = image.subarray(0, 4 * i);
    const { x, y, from, to } = painted(implementation, used.length, 0, 4 * i, 0);
    x.set(used);
    implementation.toFloat(from, 4, to, way, pixelMap(way.mean, way.std));
    const values = floats(y);
    let different = 0;
    for (let p = 0; p < i; p++) {
      const [r, g, b] = used.subarray(4 * p);
      if (values[p] !== luma(r, g, b)) different++;
      // The weights in 16 bits are within half of 2⁻¹⁶ of the exact ones.
      const exact = 0.299 * r + 0.587 * g + 0.114 * b;
      if (Math.abs(values[p] - exact) > 0.5 + (1.5 * 255) / 2 ** 16) different++;
    }
    expect(different).toBe(0);
  });

  describe.each([4, 3] as const)("%i bytes a pixel: sums", (bytes) => {
    test.each([false, true])("are exact, gray: %s", (gray) => {
      for (const count of [...COUNTS, 508, 511, 512, 513, 516, 1023, 1024, 1025, 1031]) {
        // White is what overflows first.
        for (const image of [imageOf(count, bytes), new Uint8Array(count * bytes).fill(255)]) {
          const length = gray ? 2 : 8;
          const { x, y, from, to, intact } = painted(implementation, image.length, 0, 8 * length, 0);
          x.set(image);
          // What is there already is added to.
          const before = Float64Array.from({ length }, (_, i) => 1000 + i);
          y.set(new Uint8Array(before.buffer));
          implementation.sums(from, bytes, to, gray);
          const exact = sumsOf(image, bytes, gray);
          const found = new Float64Array(y.slice().buffer).map((v, i) => v - before[i]);
          expect(gray ? found : coloursOf(found)).toEqual(exact);
          expect(intact()).toBe(true);
        }
      }
    });

    test("at every alignment", () => {
      for (let shift = 0; shift < 16; shift++) {
        const image = imageOf(37, bytes);
        const { x, y, from, to, intact } = painted(implementation, image.length, shift, 64, 0);
        x.set(image);
        y.fill(0);
        implementation.sums(from, bytes, to, false);
        expect(coloursOf(new Float64Array(y.slice().buffer))).toEqual(sumsOf(image, bytes, false));
        expect(intact()).toBe(true);
      }
    });
  });
});

/** Calls back with (index in x, channel, index in RGBA) for every byte of red, green and blue. */
function eachRgba(
  count: number,
  { channels, layout }: ImageMap,
  visit: (i: number, channel: number, at: number) => void,
): void {
  for (let p = 0; p < count; p++) {
    for (let c = 0; c < 3; c++) {
      if (channels === "gray") visit(p, 0, 4 * p + c);
      else visit(layout === "NCHW" ? count * c + p : 3 * p + c, c, 4 * p + (channels === "BGR" ? 2 - c : c));
    }
  }
}

/** Values per channel as RGBA bytes. */
function rgba(values: Uint8ClampedArray, count: number, way: ImageMap): Uint8Array {
  const image = new Uint8Array(4 * count).fill(255);
  eachRgba(count, way, (i, _, at) => {
    image[at] = values[i];
  });
  return image;
}

/** The image that comes back: RGBA, opaque, and gray if it went through gray. */
function opaque(image: Uint8Array, bytes: number, { channels }: ImageMap): Uint8Array {
  return Uint8Array.from({ length: (4 * image.length) / bytes }, (_, i) => {
    const [r, g, b] = image.subarray(bytes * (i >> 2));
    if (i % 4 === 3) return 255;
    return channels === "gray" ? luma(r, g, b) : [r, g, b][i % 4];
  });
}

/** Σv and Σv²; float64 holds integers of this size. */
function sumsOf(image: Uint8Array, bytes: number, gray: boolean): Float64Array {
  const channels = gray ? 1 : 3;
  const sums = new Float64Array(2 * channels);
  const way: ImageMap = { channels: gray ? "gray" : "RGB", layout: "NHWC", mean: [], std: [] };
  eachPixelValue(image, bytes, way, (_, c, v) => {
    sums[c] += v;
    sums[channels + c] += v * v;
  });
  return sums;
}

/** Sums without those of alpha, which are not defined. */
const coloursOf = (sums: Float64Array) => sums.filter((_, i) => i % 4 !== 3);

describe.each(Object.entries(modules))("%s, in place", (_, implementation) => {
  const { kernels } = implementation;

  test.each(COUNTS)("%i pixels", (count) => {
    for (let shift = 0; shift < (count > 40 ? 1 : 16); shift++) {
      const rgb = imageOf(count, 3);
      const wide = painted(implementation, 4 * count, shift, 0, 0);
      wide.x.set(rgb);
      kernels.widen(wide.from.pointer, count);
      const expected = opaque(rgb, 3, ways[0]).map((v, i) => (i % 4 === 3 ? 0 : v));
      expect(same(wide.x, expected)).toBe(true);
      expect(wide.intact()).toBe(true);

      const rgba = imageOf(count, 4);
      const reversed = painted(implementation, 4 * count, shift, 0, 0);
      reversed.x.set(rgba);
      kernels.reverse(reversed.from.pointer, count);
      expect(
        same(
          reversed.x,
          rgba.map((_, i) => rgba[[i + 2, i, i - 2, i][i % 4]]),
        ),
      ).toBe(true);
      expect(reversed.intact()).toBe(true);
    }
  });

  test("nothing beyond the end of memory is touched", () => {
    kernels.memory.grow(1);
    const end = kernels.memory.buffer.byteLength;
    for (let count = 1; count <= 40; count++) {
      kernels.widen(end - 4 * count, count);
      kernels.reverse(end - 4 * count, count);
    }
  });
});

test("all three give the same bytes for the same values", () => {
  const count = 4000;
  const random = uniform(6);
  for (const way of ways) {
    const map = pixelMap(way.mean, way.std);
    const x = Float32Array.from({ length: way.mean.length * count }, () => 6 * (random() - 0.5));
    const results = Object.values(implementations).map((implementation) => {
      const back = painted(implementation, 4 * x.length, 0, 4 * count, 0);
      back.x.set(new Uint8Array(x.buffer));
      implementation.toPixels(back.from, back.to, way, map);
      return back.y.slice();
    });
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  }
});

test("the debug module tells what a caller did wrong", () => {
  const { kernels, base: at } = modules.debug;
  for (const call of [
    () => kernels.widen(at, 0),
    () => kernels.reverse(at, 0),
    () => kernels.pixelsToPlanes(at, at, 4, 0, at),
    () => kernels.pixelsToColumns(at, at, 0, at),
    () => kernels.pixelsToGray(at, at, 0, at),
    () => kernels.planesToPixels(at, 4, at, 0, at),
    () => kernels.columnsToPixels(at, at, 0, at),
    () => kernels.grayToPixels(at, at, 0, at),
    () => kernels.pixelSums(at, 0, at),
    () => kernels.graySums(at, 0, at),
  ]) {
    expect(call).toThrow(/assembly\/pixels\.ts/);
  }
});
