// ImageScaler, bad input: the right kind of error, and nothing is written.

import { backend, ImageScaler, type ImageScalerOptions, init, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { expectError, type Kind } from "./expect-error.js";

onBothBackends(() => {
  const image = { data: new Uint8Array(16).fill(9), width: 2, height: 2 };
  const scaler = new ImageScaler();
  const [rgba, half] = [new Uint8Array(16), new Uint16Array(16)];
  const out = new Float32Array(12).fill(7);
  const with_ = (fields: object) => ({ data: rgba, width: 2, height: 2, ...fields });

  test.each<[string, unknown, Kind, string]>([
    ["nothing", undefined, TypeError, "image: expected an image { data, width, height }, got undefined"],
    ["bytes alone", rgba, TypeError, "image: expected an image { data, width, height }, got a Uint8Array"],
    ["no bytes", with_({ data: [1] }), TypeError, "image.data: expected a Uint8ClampedArray or a Uint8Array"],
    [
      "a canvas",
      { width: 2, height: 2 },
      TypeError,
      "(of a canvas: context.getImageData(0, 0, width, height))",
    ],
    ["16 bits", with_({ data: half }), TypeError, "got a Uint16Array (images have 8 bits per channel)"],
    ["floats", with_({ data: out }), TypeError, "got a Float32Array (images have 8 bits per channel)"],
    ["no width", with_({ width: undefined }), TypeError, "image.width: expected a positive integer"],
    ["an empty image", with_({ height: 0 }), RangeError, "image.height: expected a positive integer, got 0"],
    [
      "another length",
      with_({ width: 3 }),
      RangeError,
      "image.data: expected 24 bytes (RGBA) or 18 (RGB) for 3 × 2 pixels, got 16",
    ],
    ["no images", [], RangeError, "images: expected at least one image, got []"],
    ["a gap", [image, null], TypeError, "images[1]: expected an image"],
    [
      "other sizes",
      [image, with_({ width: 1, height: 4 })],
      RangeError,
      "images[1]: expected 2 × 2 pixels, got 1 × 4",
    ],
  ])("apply: %s", (_, bad, kind, message) => {
    expectError(() => Reflect.apply(scaler.apply, scaler, [bad, { out }]), kind, message);
    expect(out).toEqual(new Float32Array(12).fill(7));
  });

  test("apply: out of another length, shape, kind, or over the image", () => {
    const apply = (out: unknown) => () => Reflect.apply(scaler.apply, scaler, [image, { out }]);
    const length = "out: expected a length of 12 = 1 × 3 × 2 × 2, got 11";
    expectError(apply(new Float32Array(11)), RangeError, length);
    expectError(apply(new Float64Array(12)), TypeError, "out: expected a Float32Array or a Tensor");
    using tensor = new Tensor([2, 2, 3]);
    const shape = "out: expected the shape [1, 3, 2, 2] or [3, 2, 2], got [2, 2, 3]";
    expectError(apply(tensor), RangeError, shape);
    const gone = new Tensor([3, 2, 2]);
    gone.dispose();
    expectError(apply(gone), ReferenceError, "out: expected a tensor in use");
    const memory = new ArrayBuffer(64);
    const over = { data: new Uint8Array(memory, 47, 16), width: 2, height: 2 };
    const overlap = "out: expected memory apart from the image, got an overlap of the two";
    expectError(() => scaler.apply(over, { out: new Float32Array(memory, 0, 12) }), RangeError, overlap);
    expect(new Uint8Array(memory)).toEqual(new Uint8Array(64));
    const beside = { data: new Uint8Array(memory, 48, 16), width: 2, height: 2 };
    expect(scaler.apply(beside, { out: new Float32Array(memory, 0, 12) })).toHaveLength(12);
    const before = { data: new Uint8Array(memory, 0, 16), width: 2, height: 2 };
    expect(scaler.apply(before, { out: new Float32Array(memory, 16, 12) })).toHaveLength(12);
  });

  test("apply: memory that is gone, or goes while arguments are read", () => {
    const gone = new Uint8Array(16);
    const leave = () => structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const message = "images[1].data: expected an array in use, got one whose memory was moved";
    const last = {
      data: rgba,
      height: 2,
      get width() {
        leave();
        return 2;
      },
    };
    const many = new Float32Array(36).fill(7);
    const apply = () => scaler.apply([image, with_({ data: gone }), last], { out: many });
    expectError(apply, TypeError, message);
    expect(many).toEqual(new Float32Array(36).fill(7));
    const back = () => scaler.inverse(out, { out: with_({ data: gone }) });
    expectError(back, TypeError, "out.data: expected an array in use");
    const fit = () => ImageScaler.fit([with_({ data: gone })]);
    expectError(fit, TypeError, "images[0].data: expected an array in use");
  });

  test.each<[string, unknown, object | undefined, Kind, string]>([
    ["no sizes", out, undefined, TypeError, "width: expected a positive integer, got undefined"],
    ["one size", out, { width: 2 }, TypeError, "height: expected a positive integer, got undefined"],
    [
      "other sizes",
      out,
      { width: 2, height: 3 },
      RangeError,
      "x: expected one or more images of 3 × 3 × 2 = 18 values, got 12",
    ],
    ["no values", new Float32Array(0), { width: 2, height: 2 }, RangeError, "x: expected one or more images"],
    ["another kind", [1], { width: 1, height: 1 }, TypeError, "x: expected a Float32Array or a Tensor"],
    [
      "an RGB image",
      out,
      { out: { data: new Uint8Array(12), width: 2, height: 2 } },
      RangeError,
      "out: expected RGBA, 4 bytes a pixel, got 3",
    ],
    ["too many", out, { out: [image, image] }, RangeError, "out: expected 1 images, got 2"],
    [
      "one image twice",
      new Float32Array(24),
      { out: [image, image] },
      RangeError,
      "out: expected memory apart from the other images, got an overlap of the two",
    ],
    [
      "sizes that differ from out's",
      out,
      { out: image, width: 4, height: 1 },
      RangeError,
      "width, height: expected 2 × 2 pixels, got 4 × 1",
    ],
    [
      "over x",
      out,
      { out: { data: new Uint8Array(out.buffer, 32, 16), width: 2, height: 2 } },
      RangeError,
      "out: expected memory apart from x",
    ],
  ])("inverse: %s", (_, x, options, kind, message) => {
    const before = image.data.slice();
    expectError(() => Reflect.apply(scaler.inverse, scaler, [x, options]), kind, message);
    expect(image.data).toEqual(before);
    expect(out).toEqual(new Float32Array(12).fill(7));
  });

  test.each([[[3, 2]], [[4, 2, 2]], [[1, 1, 3, 2, 2]], [[0, 3, 2, 2]], [[2, 2, 3]]])(
    "inverse: a tensor of %j",
    (shape) => {
      using tensor = new Tensor(shape);
      const message = `x: expected the shape [N, 3, H, W] or [3, H, W] of images, got [${shape.join(", ")}]`;
      expectError(() => scaler.inverse(tensor), RangeError, message);
    },
  );

  test("inverse: sizes that a tensor does not have", () => {
    using tensor = new Tensor([3, 2, 4]);
    const message = "width, height: expected 4 × 2 pixels, got 2 × 4";
    expectError(() => scaler.inverse(tensor, { width: 2, height: 4 }), RangeError, message);
    expect(scaler.inverse(tensor, { width: 4, height: 2 })).toMatchObject({ width: 4, height: 2 });
  });

  test.each<[ImageScalerOptions | object, Kind, string]>([
    [{ std: 0 }, RangeError, "std: expected a number other than 0 that float32 holds, got 0"],
    [{ std: [1, 1, Number.NaN] }, RangeError, "std[2]: expected a number other than 0"],
    [{ mean: Number.POSITIVE_INFINITY }, RangeError, "mean: expected a number that float32 holds"],
    [{ mean: [0, 0] }, RangeError, "mean: expected a length of 3, one per channel, got 2"],
    [
      { mean: [0, 0, 0], channels: "gray" },
      RangeError,
      "mean: expected a length of 1, one per channel, got 3",
    ],
    [{ std: "1" }, TypeError, 'std: expected a number, or an array of 3, got "1"'],
    [{ std: ["1", 1, 1] }, TypeError, 'std[0]: expected a number other than 0 that float32 holds, got "1"'],
    [{ channels: "rgb" }, RangeError, 'channels: expected "RGB" or "BGR" or "gray", got rgb'],
    [{ layout: 1 }, TypeError, 'layout: expected "NCHW" or "NHWC", got 1'],
    [{ chanels: "RGB" }, TypeError, "options.chanels: unknown, did you mean channels?"],
  ])("new ImageScaler(%j)", (options, kind, message) => {
    expectError(() => new ImageScaler(options), kind, message);
  });

  test("fit, merge, fromJSON", () => {
    const fit = (images: unknown) => () => Reflect.apply(ImageScaler.fit, ImageScaler, [images]);
    expectError(fit([]), RangeError, "images: expected at least one image, got none");
    expectError(fit(image), TypeError, "images: expected an array of images, or an iterable");
    expectError(fit([image, with_({ data: half })]), TypeError, "images[1].data: expected a Uint8Clamped");

    const fitted = ImageScaler.fit([image]);
    const state = fitted.toJSON();
    const given = "other: expected a scaler that was fitted, got given mean and std";
    expectError(() => fitted.merge(new ImageScaler()), TypeError, given);
    expectError(() => new ImageScaler().merge(fitted), TypeError, "this: expected a scaler that was fitted");
    const other = ImageScaler.fit([image], { layout: "NHWC" });
    expectError(() => fitted.merge(other), RangeError, 'other: expected layout = "NCHW"');
    expect(fitted.toJSON()).toEqual(state);

    const sums = state.sums!;
    const load = (json: object) => () => ImageScaler.fromJSON({ ...state, ...json });
    expectError(load({ mean: [0, 0, 0] }), RangeError, "mean: expected what follows from sums");
    expectError(
      load({ sums: { ...sums, count: 4 } }),
      TypeError,
      "count: expected an integer in digits, got 4",
    );
    expectError(load({ sums: { ...sums, count: "0" } }), RangeError, "count: expected at least 1 pixel");
    expectError(load({ sums: { ...sums, sum: ["1"] } }), RangeError, "sum: expected an array of 3 integers");
    expectError(
      load({ sums: { ...sums, squares: ["0", "0", "0"] } }),
      RangeError,
      "sums: expected those of 8-bit",
    );
    expectError(load({ sums: undefined }), TypeError, "sums: expected what toJSON returned");
  });

  describe("images and values of every kind", () => {
    const [width, height] = [20, 15];
    const pixels = width * height;
    const bytes = Uint8Array.from({ length: 4 * pixels }, (_, i) => 7 * i);
    const values = scaler.apply({ data: bytes, width, height });
    const opaque = bytes.map((v, i) => (i % 4 === 3 ? 255 : v));
    const lying = <T extends object>(array: T, length: number): T =>
      Object.defineProperty(array, "length", { value: length });
    const resizable = (length: number): ArrayBuffer =>
      Reflect.construct(ArrayBuffer, [length, { maxByteLength: length }]);
    const shrunk = (Kind: typeof Uint8Array | typeof Float32Array, length: number) => {
      const buffer = resizable(length * Kind.BYTES_PER_ELEMENT);
      const array = new Kind(buffer, 0, length);
      Reflect.apply(Reflect.get(buffer, "resize"), buffer, [8]);
      return array;
    };

    const data: [string, () => unknown][] = [
      ...[null, undefined, "0123", 5, 1n, {}, [1, 2, 3, 4], bytes.buffer].map(
        (wrong): [string, () => unknown] => [String(wrong), () => wrong],
      ),
      ["signed bytes", () => new Int8Array(4 * pixels)],
      ["words", () => new Uint32Array(pixels)],
      ["big integers", () => new BigUint64Array(4 * pixels)],
      ["a DataView", () => new DataView(bytes.buffer)],
      ["a proxy", () => new Proxy(bytes, {})],
      ["of another length", () => new Uint8Array(4 * pixels - 1)],
      ["with a length that lies", () => lying(new Uint8Array(10), 4 * pixels)],
      ["that a buffer has shrunk below", () => shrunk(Uint8Array, 4 * pixels)],
    ];
    test.each(data)("data that is %s", (_, make) => {
      const into = new Float32Array(3 * pixels).fill(7);
      const refused = (call: () => unknown, name: string) =>
        expect(call).toThrow(new RegExp(`^${name}\\.data: expected`));
      const wrong = () => Object.assign({ width, height }, { data: make() });
      refused(() => Reflect.apply(scaler.apply, scaler, [wrong(), { out: into }]), "image");
      refused(() => Reflect.apply(scaler.inverse, scaler, [values, { out: wrong() }]), "out");
      refused(() => Reflect.apply(ImageScaler.fit, ImageScaler, [[wrong()]]), "images\\[0\\]");
      expect(into.every((value) => value === 7)).toBe(true);
    });

    test("values whose length lies, or whose buffer has shrunk", () => {
      const given = { data: bytes, width, height };
      using memory = new Tensor([4 * pixels]);
      memory.data.fill(7);
      const short = lying(memory.data.subarray(0, 10), 3 * pixels);
      expectError(() => scaler.apply(given, { out: short }), RangeError, "out: expected a length of 900");
      expect(memory.data.every((value) => value === 7)).toBe(true);
      const lost = () => shrunk(Float32Array, 3 * pixels) as Float32Array;
      expectError(() => scaler.apply(given, { out: lost() }), TypeError, "out: expected an array in use");
      const sizes = { width, height };
      expectError(() => scaler.inverse(short, sizes), RangeError, "x: expected one or more images");
      expectError(() => scaler.inverse(lost(), sizes), TypeError, "x: expected an array in use");
    });

    test("arrays of subclasses, and of buffers that can grow, are what they hold", () => {
      class Own extends Uint8Array<ArrayBuffer> {
        static get [Symbol.species]() {
          return Float32Array as never;
        }
        override subarray(): never {
          throw new Error("subarray");
        }
        override set(): never {
          throw new Error("set");
        }
      }
      const tracking = new Uint8Array(resizable(4 * pixels));
      for (const own of [Reflect.construct(Own, [bytes.slice().buffer]), tracking]) {
        new Uint8Array(own.buffer).set(bytes);
        const here = { data: own, width, height };
        expect(scaler.apply(here)).toEqual(values);
        new Uint8Array(own.buffer).fill(0);
        expect(scaler.inverse(values, { out: here })).toBe(here);
        expect(new Uint8Array(own.buffer)).toEqual(opaque);
      }
    });

    test("every overlap of pixels and values is refused, and what only touches is not", () => {
      const [before, of] = [4 * pixels, 12 * pixels];
      for (const shift of [-before, 1 - before, -4, -1, 0, 1, 4, before, of - 1, of]) {
        const memory = new ArrayBuffer(32 * pixels);
        const floats = new Float32Array(memory, 8 * pixels, 3 * pixels);
        const here = { data: new Uint8Array(memory, 8 * pixels + shift, 4 * pixels), width, height };
        here.data.set(bytes);
        const copy = memory.slice(0);
        const apart = shift === -before || shift === of;
        if (apart) expect(scaler.apply(here, { out: floats })).toEqual(values);
        else {
          expectError(() => scaler.apply(here, { out: floats }), RangeError, "out: expected memory apart");
          expectError(() => scaler.inverse(floats, { out: here }), RangeError, "out: expected memory apart");
          expect(new Uint8Array(memory)).toEqual(new Uint8Array(copy));
        }
      }
    });

    test("a getter of a size that takes the memory away, grows it, disposes, switches, or fits", () => {
      const name = backend();
      const made: Tensor[] = [];
      const out = () => {
        const tensor = new Tensor([3, height, width]);
        made.push(tensor);
        return tensor;
      };
      const image = (act: () => void, data: Uint8Array = bytes) => ({
        data,
        height,
        get width() {
          act();
          return width;
        },
      });
      const gone = out();
      expectError(
        () =>
          scaler.apply(
            image(() => gone.dispose()),
            { out: gone },
          ),
        ReferenceError,
        "out:",
      );
      const buffer = resizable(4 * pixels);
      const resize = () => Reflect.apply(Reflect.get(buffer, "resize"), buffer, [8]);
      const lost = image(resize, new Uint8Array(buffer, 0, 4 * pixels));
      expectError(() => scaler.apply(lost), TypeError, "image.data: expected an array in use");
      const grow = () => made.push(...Array.from({ length: 40 }, () => new Tensor([100_000])));
      const standing = out();
      expect(scaler.apply(image(grow), { out: standing })).toBe(standing);
      expect(standing.data).toEqual(values);
      const other = () => init({ backend: name === "wasm" ? "javascript" : "wasm" });
      expect(scaler.apply(image(other))).toEqual(values);
      init({ backend: name });
      const fitted = ImageScaler.fit([{ data: bytes, width, height }]);
      const alone = fitted.apply({ data: bytes, width, height });
      const merging = image(() => fitted.merge(ImageScaler.fit([{ data: bytes, width, height }])));
      // The same mean and deviation, of twice as many pixels.
      expect(fitted.apply(merging)).toEqual(alone);
      expect(fitted.count).toBe(2 * pixels);
      for (const tensor of made) tensor.dispose();
    });

    test("integers of too many digits are refused before they are read", () => {
      const saved = ImageScaler.fit([{ data: bytes, width, height }]).toJSON();
      const digits = "9".repeat(10 ** 6);
      const sums = { count: digits, sum: [digits, digits, digits], squares: [digits, digits, digits] };
      const load = () => ImageScaler.fromJSON({ ...saved, sums });
      expectError(load, RangeError, "count: expected an integer of at most 40 digits, got 999");
    });
  });
});
