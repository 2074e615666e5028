// ImageScaler, against the formula in float64. Sizes are one chunk of the staged way (12,288 pixels) and around it,
// and around the size from which WebAssembly runs (64 pixels).

import { ImageScaler, type RgbaImage, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { uniform } from "./data.js";
import { eachPixelValue, type ImageMap, luma, pixel, u, ulp } from "./reference.js";

const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const ways: ImageMap[] = (["NCHW", "NHWC"] as const).flatMap((layout) => [
  { channels: "RGB", layout, ...imageNet },
  { channels: "BGR", layout, ...imageNet },
  { channels: "gray", layout, mean: [0.1307], std: [0.3081] },
]);

const SIZES = [
  [1, 1],
  [7, 5],
  [8, 8],
  [13, 5],
  [96, 128],
  [12_287, 1],
  [12_289, 1],
  [211, 181],
] as const;

const [W, H] = [97, 131];

/** A random image, and guards around its pixels. */
function imageOf(width: number, height: number, bytes: 3 | 4, seed = 1) {
  const random = uniform(seed + width * height);
  const all = Uint8Array.from({ length: width * height * bytes + 32 }, () => 256 * random());
  return { data: all.subarray(16, all.length - 16), width, height };
}

function blank(width: number, height: number): RgbaImage {
  return { data: new Uint8ClampedArray(4 * width * height), width, height };
}

/** What comes back: opaque RGBA, and gray if it went through gray. */
function opaque(image: ReturnType<typeof imageOf>, { channels }: ImageMap): Uint8ClampedArray<ArrayBuffer> {
  const bytes = image.data.length / (image.width * image.height);
  return Uint8ClampedArray.from({ length: 4 * image.width * image.height }, (_, i) => {
    const [r, g, b] = image.data.subarray(bytes * (i >> 2));
    return i % 4 === 3 ? 255 : channels === "gray" ? luma(r, g, b) : [r, g, b][i % 4];
  });
}

/** The first index at which two arrays differ; undefined if they are the same. `toEqual` takes seconds for an image. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (!Object.is(a[i], b[i])) return i;
  return undefined;
}

/** That images are opaque RGBA of such pixels. */
function expectImages(images: unknown, expected: readonly RgbaImage[]): void {
  if (!Array.isArray(images)) throw new TypeError("expected an array of images");
  expect(images).toHaveLength(expected.length);
  images.forEach(({ data, ...size }, i) => {
    expect(size).toEqual({ width: expected[i].width, height: expected[i].height });
    expect(data).toBeInstanceOf(Uint8ClampedArray);
    expect(difference(data, expected[i].data)).toBe(undefined);
  });
}

function shapeOf({ channels, layout }: ImageMap, count: number, width: number, height: number): number[] {
  const c = channels === "gray" ? 1 : 3;
  return layout === "NCHW" ? [count, c, height, width] : [count, height, width, c];
}

/** The largest error of values against the formula, in ULP of its largest term. */
function errorOf(y: Float32Array, image: ReturnType<typeof imageOf>, way: ImageMap): number {
  const exact = Array.from(way.mean, (mean, c) =>
    Array.from({ length: 256 }, (_, v) => pixel(v, mean, way.std[c])),
  );
  let worst = 0;
  eachPixelValue(image.data, image.data.length / (image.width * image.height), way, (i, c, v) => {
    const term = exact[c][v];
    const error = Math.abs(y[i] - term.y) / ulp(term.largest);
    // What is not written, or NaN, is wrong.
    worst = error <= worst ? worst : Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  });
  return worst;
}

onBothBackends(() => {
  describe.each(ways)("$channels, $layout", (way) => {
    const scaler = new ImageScaler(way);
    const channels = way.mean.length;

    describe.each([4, 3] as const)("%i bytes a pixel", (bytes) => {
      // 1 ULP: pixel-map.test.ts says why.
      test.each(SIZES)("%i × %i: there, within 1 ULP of the largest term, and back", (width, height) => {
        const image = imageOf(width, height, bytes);
        const before = image.data.slice();
        const length = channels * width * height;
        const y = scaler.apply(image);
        expect(y).toHaveLength(length);
        expect(errorOf(y, image, way)).toBeLessThanOrEqual(1);

        // Into a part of an array, and into a tensor: the same bits, and nothing beside them.
        const room = new Float32Array(length + 8).fill(7);
        const out = room.subarray(3, 3 + length);
        expect(scaler.apply(image, { out })).toBe(out);
        expect(difference(out, y)).toBe(undefined);
        expect([...room.subarray(0, 3), ...room.subarray(3 + length)]).toEqual([7, 7, 7, 7, 7, 7, 7, 7]);
        using tensor = new Tensor(shapeOf(way, 1, width, height).slice(1));
        expect(scaler.apply(image, { out: tensor })).toBe(tensor);
        expect(difference(tensor.data, y)).toBe(undefined);
        expect(difference(image.data, before)).toBe(undefined);

        const expected = opaque(image, way);
        expectImages([scaler.inverse(y, { width, height })], [{ data: expected, width, height }]);
        expectImages([scaler.inverse(tensor)], [{ data: expected, width, height }]);
        const painted = new Uint8Array(expected.length + 14).fill(9);
        const back = { data: painted.subarray(7, 7 + expected.length), width, height };
        expect(scaler.inverse(y, { out: back })).toBe(back);
        expect(difference(back.data, expected)).toBe(undefined);
        const around = [...painted.subarray(0, 7), ...painted.subarray(7 + expected.length)];
        expect(around).toEqual(new Array(14).fill(9));
      });
    });

    test("a batch is its images, one after the other", () => {
      const images = [imageOf(W, H, 4, 1), imageOf(W, H, 3, 2), imageOf(W, H, 4, 3)];
      const y = scaler.apply(images);
      const each = channels * W * H;
      images.forEach((image, n) => {
        expect(difference(y.subarray(n * each, (n + 1) * each), scaler.apply(image))).toBe(undefined);
      });
      using tensor = scaler.apply(images, { out: new Tensor(shapeOf(way, 3, W, H)) });
      expect(difference(tensor.data, y)).toBe(undefined);
      const expected = images.map((image) => ({ data: opaque(image, way), width: W, height: H }));
      expectImages(scaler.inverse(tensor), expected);
      expectImages(scaler.inverse(y, { width: W, height: H }), expected);
      const out = images.map(() => blank(W, H));
      expect(scaler.inverse(tensor, { out })).toBe(out);
      expectImages(out, expected);
      // Four axes are several images, also if there is one.
      using single = scaler.apply([images[0]], { out: new Tensor(shapeOf(way, 1, W, H)) });
      expectImages(scaler.inverse(single), [expected[0]]);
    });

    test("a view of linear memory is used where it stands", () => {
      const image = imageOf(W, H, 4);
      using tensor = new Tensor(shapeOf(way, 2, W, H));
      const each = channels * W * H;
      const out = tensor.data.subarray(each);
      scaler.apply(image, { out });
      expect(difference(out, scaler.apply(image))).toBe(undefined);
      expect(tensor.data.subarray(0, each).every((v) => v === 0)).toBe(true);
      expectImages(
        [scaler.inverse(out, { width: W, height: H })],
        [{ data: opaque(image, way), width: W, height: H }],
      );
    });

    test("pixels in linear memory are read and written where they stand", () => {
      const image = imageOf(W, H, 4);
      using tensor = new Tensor([W * H + 2]);
      const { buffer, byteOffset } = tensor.data;
      const all = new Uint8Array(buffer, byteOffset, 4 * (W * H + 2)).fill(9);
      const standing = { data: all.subarray(3, 3 + 4 * W * H), width: W, height: H };
      standing.data.set(image.data);
      const y = scaler.apply(image);
      expect(difference(scaler.apply(standing), y)).toBe(undefined);
      expect(difference(standing.data, image.data)).toBe(undefined);
      const order = { channels: way.channels, layout: way.layout };
      expect(ImageScaler.fit([standing], order).toJSON()).toEqual(ImageScaler.fit([image], order).toJSON());

      standing.data.fill(0);
      scaler.inverse(y, { out: standing });
      expect(difference(standing.data, opaque(image, way))).toBe(undefined);
      expect([...all.subarray(0, 3), ...all.subarray(3 + 4 * W * H)]).toEqual([9, 9, 9, 9, 9, 9, 9, 9]);
    });

    test("memory that is shared, or that can grow", () => {
      const image = imageOf(W, H, 4);
      const y = scaler.apply(image);
      const growing = (length: number) =>
        Reflect.construct(ArrayBuffer, [length, { maxByteLength: 2 * length }]);
      const shared = (length: number) =>
        typeof SharedArrayBuffer === "function" ? new SharedArrayBuffer(length) : growing(length);
      for (const make of [growing, shared]) {
        const data = new Uint8ClampedArray(make(4 * W * H));
        data.set(image.data);
        const out = new Float32Array(make(4 * y.length));
        expect(difference(scaler.apply({ data, width: W, height: H }, { out }), y)).toBe(undefined);
        data.fill(0);
        scaler.inverse(out, { out: { data, width: W, height: H } });
        expect(difference(data, opaque(image, way))).toBe(undefined);
      }
    });

    // No kernel has the digits for such a mean: half an ULP, and what float64 rounds before.
    test("a mean next to 0 is looked up, and comes back", () => {
      const dark = { ...way, mean: Array.from(way.mean, (_, c) => 1e-5 * Math.PI * (c + 1)) };
      const image = imageOf(W, H, 4);
      const other = new ImageScaler(dark);
      const y = other.apply(image);
      expect(errorOf(y, image, dark)).toBeLessThanOrEqual(0.5 + 1e-6);
      expectImages(
        [other.inverse(y, { width: W, height: H })],
        [{ data: opaque(image, way), width: W, height: H }],
      );
    });

    test("fit: mean and std of all pixels, whatever the sizes; parts merge to the same bits", () => {
      const images = [imageOf(W, H, 4, 1), imageOf(1, 1, 3), imageOf(211, 181, 3), imageOf(8, 9, 4)];
      const { channels: order, layout } = way;
      const fitted = ImageScaler.fit(images, { channels: order, layout });
      const values: number[][] = Array.from(way.mean, () => []);
      for (const { data, width, height } of images) {
        eachPixelValue(data, data.length / (width * height), way, (_, c, v) => values[c].push(v / 255));
      }
      values.forEach((list, c) => {
        const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
        const variance = list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length;
        // 5·10⁴ float64 roundings of the reference.
        expect(Math.abs(fitted.mean[c] / mean - 1)).toBeLessThan(1e-11);
        expect(Math.abs(fitted.std[c] / Math.sqrt(variance) - 1)).toBeLessThan(1e-11);
      });
      expect(fitted.count).toBe(values[0].length);

      function* decoded(from: number, to: number) {
        yield* images.slice(from, to);
      }
      const parts = [decoded(2, 4), decoded(0, 2)].map((part) =>
        ImageScaler.fromJSON(JSON.parse(JSON.stringify(ImageScaler.fit(part, { channels: order, layout })))),
      );
      parts[0].apply(images[0]);
      parts[0].merge(parts[1]);
      expect(parts[0].toJSON()).toEqual(fitted.toJSON());
      expect(difference(parts[0].apply(images[0]), fitted.apply(images[0]))).toBe(undefined);
    });

    test("a constant channel has std 1, and becomes 0", () => {
      const data = new Uint8Array(4 * 100).fill(77);
      const { channels: order, layout } = way;
      const fitted = ImageScaler.fit([{ data, width: 10, height: 10 }], { channels: order, layout });
      expect(fitted.std).toEqual(new Float64Array(channels).fill(1));
      const y = fitted.apply({ data, width: 10, height: 10 });
      // mean is 77/255 to half a unit of float64, and the map within 1 ULP of it.
      expect(y.every((v) => Math.abs(v) <= 2 * u * (77 / 255))).toBe(true);
    });
  });

  test("mean and std go with the channels in their order", () => {
    const image = { data: Uint8Array.of(0, 51, 255), width: 1, height: 1 };
    const options = { mean: [0, 0.2, 1], std: [1, 2, 4] };
    expect(Array.from(new ImageScaler(options).apply(image))).toEqual([0, 0, 0]);
    expect(Array.from(new ImageScaler({ ...options, channels: "BGR" }).apply(image))).toEqual([1, 0, -0.25]);
  });

  test("without options it is v/255; one number is for all channels, also a negative std", () => {
    const image = imageOf(W, H, 4);
    const usual: ImageMap = { channels: "RGB", layout: "NCHW", mean: [0, 0, 0], std: [1, 1, 1] };
    expect(errorOf(new ImageScaler().apply(image), image, usual)).toBeLessThanOrEqual(1);
    const inverted = new ImageScaler({ mean: 1, std: -1, channels: "gray" });
    const way: ImageMap = { channels: "gray", layout: "NCHW", mean: [1], std: [-1] };
    expect(errorOf(inverted.apply(image), image, way)).toBeLessThanOrEqual(1);
    expect([...new ImageScaler({ mean: 0.5, std: 0.25 }).std]).toEqual([0.25, 0.25, 0.25]);
  });

  test("back: saturated, rounded to even, NaN is 0", () => {
    const scaler = new ImageScaler({ std: 1 / 255, channels: "gray" });
    const v = [Number.NaN, -1, 0.5, 1.5, 2.5, 254.5, 255.5, 1e30, Number.POSITIVE_INFINITY, -1e30];
    for (const width of [v.length, 10 * v.length]) {
      const x = Float32Array.from({ length: width }, (_, i) => v[i % v.length]);
      const back = blank(width, 1);
      scaler.inverse(x, { out: back });
      const expected = Uint8ClampedArray.from(x);
      expect(back.data).toEqual(
        Uint8ClampedArray.from({ length: 4 * width }, (_, i) => (i % 4 === 3 ? 255 : expected[i >> 2])),
      );
    }
  });

  test("a saved scaler is the same scaler", () => {
    for (const scaler of [
      new ImageScaler(imageNet),
      new ImageScaler({ mean: -0, std: 0.1, channels: "gray", layout: "NHWC" }),
      ImageScaler.fit([imageOf(W, H, 3)], { channels: "BGR" }),
    ]) {
      const loaded = ImageScaler.fromJSON(JSON.parse(JSON.stringify(scaler)));
      expect(loaded).toBeInstanceOf(ImageScaler);
      expect(loaded.toJSON()).toEqual(scaler.toJSON());
      expect([loaded.mean, loaded.std, loaded.count]).toEqual([scaler.mean, scaler.std, scaler.count]);
    }
  });

  test("sums beyond 2⁵³ stay exact", () => {
    const one = ImageScaler.fit([{ data: Uint8Array.of(255, 1, 0), width: 1, height: 1 }]).toJSON();
    const huge = ImageScaler.fromJSON({
      ...one,
      mean: [1, 1 / 255, 0],
      sums: {
        count: `${2n ** 60n}`,
        sum: [`${255n * 2n ** 60n}`, `${2n ** 60n}`, "0"],
        squares: [`${65025n * 2n ** 60n}`, `${2n ** 60n}`, "0"],
      },
    });
    huge.merge(ImageScaler.fromJSON(one));
    expect(huge.toJSON().sums?.count).toBe(`${2n ** 60n + 1n}`);
    expect([...huge.std]).toEqual([1, 1, 1]);
  });

  test.runIf(typeof ImageData === "function")("an ImageData goes in and comes back", () => {
    const image = new ImageData(opaque(imageOf(W, H, 4), ways[0]), W);
    const scaler = new ImageScaler(imageNet);
    const back = scaler.inverse(scaler.apply(image), { out: blank(W, H) });
    expect(difference(new ImageData(back.data, W).data, image.data)).toBe(undefined);
    const out = new ImageData(W, H);
    expect(scaler.inverse(scaler.apply(image), { out })).toBe(out);
    expect(difference(out.data, image.data)).toBe(undefined);
  });
});
