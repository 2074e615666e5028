// Tensors, and the linear memory that they live in.

import { Affine, BatchNorm, init, LayerNorm, StandardScaler, scope, Tensor } from "simdnorm";
import { afterAll, describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
import type { Sizes } from "./reference.js";

/** Bytes of linear memory; on the JavaScript backend there is none to speak of. */
function memory(): number {
  using probe = new Tensor([1]);
  return probe.data.buffer.byteLength;
}

const SIZES: Sizes[] = [
  { outer: 3, features: 2, inner: 1 },
  { outer: 64, features: 33, inner: 1 },
  { outer: 900, features: 3, inner: 1 },
  { outer: 9, features: 5000, inner: 1 },
  { outer: 3, features: 5, inner: 49 },
  { outer: 100, features: 5, inner: 4 },
  { outer: 2, features: 3, inner: 30000 },
];

onBothBackends((name) => {
  test("shape, length, data", () => {
    using zeros = new Tensor([2, 3]);
    expect([zeros.shape, zeros.length, zeros.data]).toEqual([[2, 3], 6, new Float32Array(6)]);
    using x = new Tensor([2], [1.5, 2.5]);
    expect(x.data).toEqual(Float32Array.of(1.5, 2.5));
    x.data[0] = 7;
    expect(x.data[0]).toBe(7);
    using empty = new Tensor([0, 3]);
    expect(new BatchNorm(3).infer(empty).length).toBe(0);
    const none = new Float32Array();
    expect(new BatchNorm(3).infer(new Float32Array(), { out: none })).toBe(none);
    expect(() => Object.assign(x.shape, { 0: 9 })).toThrow(TypeError);
  });

  test("a tensor whose shape was redefined has its own sizes", () => {
    using x = new Tensor([50, 4], make({ outer: 50, features: 4, inner: 1 }, "N(0, 1)"));
    const calls = [
      () => new BatchNorm(4).infer(x),
      () => new BatchNorm(4).train(x),
      () => new LayerNorm(4).apply(x),
      () => new StandardScaler().fitTransform(x),
    ];
    const expected = calls.map((call) => scope(() => call().data.slice()));
    let reads = 0;
    Object.defineProperty(x, "shape", { get: () => (reads++ % 2 === 0 ? [50, 4] : [1]) });
    expect(calls.map((call) => scope(() => call().data.slice()))).toEqual(expected);
  });

  test("calls on tensors give what calls on arrays give, in and out of place, mixed or not", () => {
    for (const { outer, features, inner } of SIZES) {
      const { gamma, beta, mean, variance } = parameters(features);
      const options = { axis: 1, gamma, beta, runningMean: mean, runningVariance: variance };
      const array = make({ outer, features, inner }, "N(0, 1)");
      const shape = [outer, features, inner];
      const layer = () => new BatchNorm(features, options);
      const close = (y: Tensor | Float32Array, expected: Float32Array) => {
        const values = y instanceof Tensor ? y.data : y;
        // The same kernels over other chunks: statistics may differ in their last bits.
        for (let i = 0; i < values.length; i++) {
          if (!(Math.abs(values[i] - expected[i]) <= 1e-6 * Math.max(1, Math.abs(expected[i])))) {
            expect.fail(`${shape} at ${i}: expected ${expected[i]}, got ${values[i]}`);
          }
        }
      };
      const trained = layer().train(array, { shape });
      const inferred = layer().infer(array, { shape });
      using x = new Tensor(shape, array);
      using out = new Tensor(shape);
      const y = layer().train(x);
      expect(y).toBeInstanceOf(Tensor);
      expect(y.shape).toEqual(shape);
      close(y, trained);
      y.dispose();
      expect(layer().infer(x, { out })).toBe(out);
      close(out, inferred);
      close(layer().infer(x.data, { shape }), inferred);
      close(layer().infer(array, { shape, out: out.data }), inferred);
      close(layer().train(array, { shape, out: out.data }), trained);
      close(layer().train(x.data, { shape }), trained);
      expect(x.data).toEqual(array);
      const residual = out.data.slice().fill(1);
      const plusOne = layer().infer(array, { shape, residual });
      close(layer().infer(x, { residual }), plusOne);
      using ones = new Tensor(shape, residual);
      close(layer().infer(x, { residual: ones, out: ones }), plusOne);
      ones.data.fill(1);
      close(layer().infer(array, { shape, residual: ones, out: ones.data }), plusOne);
      close(layer().fold().apply(x, { out: x }), inferred);
    }
  });

  test("use after dispose is a ReferenceError; disposing twice does nothing", () => {
    const x = new Tensor([2, 2]);
    x.dispose();
    x.dispose();
    const message = "expected a tensor in use, got a disposed one";
    expect(() => x.data).toThrow(new ReferenceError(`tensor: ${message}`));
    expect(() => new BatchNorm(2).infer(x)).toThrow(new ReferenceError(`x: ${message}`));
    expect(() => new BatchNorm(2).infer(new Float32Array(4), { residual: x })).toThrow(ReferenceError);
    expect(() => new BatchNorm(2).train(new Tensor([2, 2]), { out: x })).toThrow(ReferenceError);
    expect(x.shape).toEqual([2, 2]);
  });

  test("10,000 tensors created and disposed leave the memory's size unchanged", () => {
    const before = memory();
    for (let i = 0; i < 10_000; i++) new Tensor([1 + (i % 1000)]).dispose();
    for (let i = 0; i < 1000; i++) new Affine(64).apply(new Float32Array(64));
    if (name === "wasm") expect(memory()).toBe(before);
  });

  test("calls on arrays never grow the memory: 256 MB", () => {
    const before = memory();
    const x = new Float32Array(2 ** 26);
    for (let i = 0; i < x.length; i++) x[i] = i % 4;
    const layer = new BatchNorm(256, { momentum: 1, unbiased: false });
    layer.train(x, { out: x });
    expect(layer.runningMean).toEqual(Float64Array.from({ length: 256 }, (_, j) => j % 4));
    // Every feature is constant, so every value has become 0, and stays it.
    expect(x.findIndex((value) => value !== 0)).toBe(-1);
    for (const [features, shape] of [
      [20_000, [800, 20_000, 1]],
      [2, [1, 2, 2 ** 23]],
      [3000, [80, 3000, 64]],
    ] as const) {
      const data = x.subarray(0, shape[0] * shape[1] * shape[2]);
      new BatchNorm(features, { axis: 1 }).train(data, { shape, out: data });
      new BatchNorm(features, { axis: 1 }).infer(data, { shape, out: data });
      expect(data.findIndex((value) => value !== 0)).toBe(-1);
    }
    if (name === "wasm") expect(memory()).toBe(before);
  });

  if (name === "wasm") {
    describe("growth", () => {
      test("leaves every view stale and every tensor as it was", () => {
        using x = new Tensor([2], [1, 2]);
        const stale = x.data;
        const before = memory();
        using large = new Tensor([before / 4]);
        expect(memory()).toBeGreaterThan(before);
        expect(stale.length).toBe(0);
        expect(() => new BatchNorm(2).infer(stale)).toThrow(
          "x: expected an array in use, got one whose memory was moved (read tensor.data again)",
        );
        expect(x.data).toEqual(Float32Array.of(1, 2));
        expect(new BatchNorm(2, { epsilon: 0 }).infer(x).data).toEqual(Float32Array.of(1, 2));
        expect(large.data.every((value) => value === 0)).toBe(true);
      });

      test("a new output may grow the memory while its input is in use", () => {
        const length = memory() / 8;
        using x = new Tensor([length / 2, 2], new Float32Array(length).fill(3));
        for (let i = 0; i < 4; i++) {
          expect(new BatchNorm(2, { epsilon: 0 }).infer(x).data.every((value) => value === 3)).toBe(true);
        }
      });

      test("leaves an empty tensor in use", () => {
        using empty = new Tensor([0, 2]);
        using large = new Tensor([memory() / 4]);
        expect(large.length).toBeGreaterThan(0);
        expect(empty.data.length).toBe(0);
        expect(new BatchNorm(2).infer(empty).length).toBe(0);
      });

      test("is made ahead by init({ memory })", () => {
        init({ memory: 2 ** 27 });
        const before = memory();
        using x = new Tensor([2 ** 24]);
        expect(x.length).toBe(2 ** 24);
        expect(memory()).toBe(before);
      });

      test("by more than one block: 1.5 GiB", () => {
        init({ memory: 1.5 * 2 ** 30 });
        expect(memory()).toBeGreaterThan(1.5 * 2 ** 30);
      });

      test("exhaustion is a RangeError, and what was there stays", () => {
        using x = new Tensor([2], [1, 2]);
        expect(() => new Tensor([2 ** 28])).toThrow(
          "memory: expected less than 1 GiB for one tensor, got 1073741824 bytes (use several)",
        );
        // Its own scratch memory takes a part of the 4 GiB.
        expect(() => init({ memory: 2 ** 32 })).toThrow(RangeError);
        expect(() => init({ memory: 2 ** 32 })).toThrow(
          /^memory: expected \d+ bytes to be free, got fewer \(dispose tensors, pass out, or make them in a scope\)$/,
        );
        expect(x.data).toEqual(Float32Array.of(1, 2));
      });
    });
  }

  afterAll(() => init({ backend: "wasm" }));
});
