// ImageScaler, bad input: the right kind of error, and nothing is written.

import { ImageScaler, type ImageScalerOptions, Tensor } from "simdnorm";
import { expect, test } from "vitest";
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
});
