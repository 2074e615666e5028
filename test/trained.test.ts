// Trained layers from other frameworks, and layers saved and loaded.

import { BatchNorm } from "simdnorm";
import { describe, expect, test } from "vitest";
import { normalize } from "./reference.js";

const gamma = [0.5, 2];
const beta = [1, -1];
const mean = [3, 5];
const variance = [4, 0.25];
const x = Float32Array.of(2, 4, 3, 5, 4, 6);

function expectInference(layer: BatchNorm, parameters: object, epsilon: number): void {
  const sizes = { outer: 3, features: 2, inner: 1 };
  const exact = normalize(x, sizes, { mean, variance, ...parameters, epsilon });
  layer.infer(x, { shape: [3, 2] }).forEach((y, i) => {
    expect(y).toBeCloseTo(exact[i], 5);
  });
}

describe("PyTorch", () => {
  const stateDict = {
    "conv1.weight": new Float32Array(9),
    "layer1.0.bn1.weight": Float32Array.from(gamma),
    "layer1.0.bn1.bias": Float32Array.from(beta),
    "layer1.0.bn1.running_mean": Float32Array.from(mean),
    "layer1.0.bn1.running_var": Float32Array.from(variance),
    "layer1.0.bn1.num_batches_tracked": BigInt64Array.of(7n),
  };

  test.each(["layer1.0.bn1", "layer1.0.bn1."])("a state dict, prefix %s", (prefix) => {
    const layer = BatchNorm.fromPyTorch(stateDict, { prefix });
    expect(layer).toMatchObject({ features: 2, axis: 1, epsilon: 1e-5, momentum: 0.1, unbiased: true });
    expect(layer.batchesTracked).toBe(7);
    expectInference(layer, { gamma, beta }, 1e-5);
  });

  test("affine=False, cumulative momentum, an epsilon of its own, numbers and tensors of other readers", () => {
    const bare = {
      running_mean: { dtype: "F32", shape: [2], data: Float32Array.from(mean) },
      running_var: variance,
      num_batches_tracked: { data: [3] },
    };
    const layer = BatchNorm.fromPyTorch(bare, { epsilon: 1e-3, momentum: null, axis: -1 });
    expect(layer).toMatchObject({ gamma: null, beta: null, momentum: null, axis: -1, batchesTracked: 3 });
    expectInference(layer, {}, 1e-3);
    // The fourth batch has weight 1/4 in the cumulative average.
    layer.train(x);
    expect(layer.runningMean[0]).toBeCloseTo(3 * 0.75 + 3 * 0.25, 6);
    expect(layer.runningVariance[0]).toBeCloseTo(4 * 0.75 + 1 * 0.25, 6);
  });

  test("a Map, as some readers return", () => {
    expect(
      BatchNorm.fromPyTorch(Object.fromEntries(new Map(Object.entries(stateDict))), {
        prefix: "layer1.0.bn1",
      }).features,
    ).toBe(2);
    expect(
      Reflect.apply(BatchNorm.fromPyTorch, BatchNorm, [
        new Map(Object.entries(stateDict)),
        { prefix: "layer1.0.bn1" },
      ]).features,
    ).toBe(2);
  });

  test("what is missing or does not fit", () => {
    expect(() => BatchNorm.fromPyTorch(stateDict)).toThrow(
      new TypeError('stateDict["running_mean"]: expected an array of numbers, got undefined'),
    );
    expect(() => BatchNorm.fromPyTorch({ running_mean: mean, running_var: [1] })).toThrow(
      new RangeError("runningVariance: expected an array of features = 2 numbers, got length 1"),
    );
    expect(() =>
      BatchNorm.fromPyTorch({ running_mean: mean, running_var: variance, num_batches_tracked: -1 }),
    ).toThrow(RangeError);
    expect(() => Reflect.apply(BatchNorm.fromPyTorch, BatchNorm, [null])).toThrow(TypeError);
    expect(() => Reflect.apply(BatchNorm.fromPyTorch, BatchNorm, [stateDict, { prefix: 1 }])).toThrow(
      TypeError,
    );
  });
});

describe("Keras", () => {
  test("the list of get_weights and the config", () => {
    const layer = BatchNorm.fromKeras([gamma, beta, mean, variance], {
      axis: [3],
      momentum: 0.9,
      epsilon: 1e-2,
    });
    expect(layer).toMatchObject({ axis: 3, epsilon: 1e-2, unbiased: false });
    expect(layer.momentum).toBeCloseTo(0.1, 12);
    expectInference(BatchNorm.fromKeras([gamma, beta, mean, variance]), { gamma, beta }, 1e-3);
    expect(BatchNorm.fromKeras([gamma, beta, mean, variance]).momentum).toBeCloseTo(0.01, 12);
  });

  test("without scale, without center, without both", () => {
    expectInference(BatchNorm.fromKeras([beta, mean, variance], { scale: false }), { beta }, 1e-3);
    expectInference(BatchNorm.fromKeras([gamma, mean, variance], { center: false }), { gamma }, 1e-3);
    expectInference(BatchNorm.fromKeras([mean, variance], { scale: false, center: false }), {}, 1e-3);
  });

  test("by name, as files hold them", () => {
    const named = {
      "bn/gamma:0": gamma,
      "bn/beta:0": beta,
      "bn/moving_mean:0": mean,
      "bn/moving_variance:0": variance,
    };
    expectInference(BatchNorm.fromKeras(named), { gamma, beta }, 1e-3);
    expectInference(
      BatchNorm.fromKeras({ gamma, beta, moving_mean: mean, moving_variance: variance }),
      { gamma, beta },
      1e-3,
    );
  });

  test("its training: momentum weighs the old value, the variance is the biased one", () => {
    const layer = BatchNorm.fromKeras([gamma, beta, mean, variance], { momentum: 0.9 });
    layer.train(x);
    expect(layer.runningVariance[0]).toBeCloseTo(0.9 * 4 + 0.1 * (2 / 3), 6);
  });

  test("what is missing", () => {
    expect(() => BatchNorm.fromKeras([mean, variance])).toThrow(
      new RangeError("weights: expected 4 arrays (gamma, beta, moving_mean, moving_variance), got 2"),
    );
    expect(() => BatchNorm.fromKeras({ gamma, beta })).toThrow(TypeError);
    expect(() => BatchNorm.fromKeras([gamma, beta, mean, variance], { momentum: 2 })).toThrow(RangeError);
  });
});

describe("ONNX", () => {
  test("inputs by position, with and without X, and by name, old and new", () => {
    for (const inputs of [
      [gamma, beta, mean, variance],
      [null, gamma, beta, mean, variance],
      { scale: gamma, B: beta, input_mean: mean, input_var: variance },
      { scale: gamma, B: beta, mean, var: variance },
    ]) {
      const layer = BatchNorm.fromOnnx(inputs, { epsilon: 1e-4, momentum: 0.8 });
      expect(layer).toMatchObject({ axis: 1, epsilon: 1e-4, unbiased: false });
      expect(layer.momentum).toBeCloseTo(0.2, 12);
      expectInference(layer, { gamma, beta }, 1e-4);
    }
  });

  test("what is missing", () => {
    expect(() => BatchNorm.fromOnnx([gamma, beta, mean])).toThrow(RangeError);
    expect(() => BatchNorm.fromOnnx({ scale: gamma, B: beta })).toThrow(
      new TypeError("input_mean: expected an array of numbers, got undefined"),
    );
  });
});

describe("JSON", () => {
  test("the whole state, exact, also NaN and infinity", () => {
    const layer = new BatchNorm(3, {
      axis: 1,
      gamma: null,
      beta: [0.1, -0, 3],
      epsilon: 1e-7,
      momentum: null,
    });
    layer.train(Float32Array.of(1, 2, Infinity, 3, Number.NaN, 1), { shape: [2, 3] });
    const back = BatchNorm.fromJSON(JSON.parse(JSON.stringify(layer)));
    expect(back.toJSON()).toEqual(layer.toJSON());
    for (const field of [
      "runningMean",
      "runningVariance",
      "gamma",
      "beta",
      "momentum",
      "batchesTracked",
    ] as const) {
      expect(back[field]).toEqual(layer[field]);
    }
    const y = Float32Array.of(1, 2, 3);
    expect(back.infer(y, { shape: [1, 3] })).toEqual(layer.infer(y, { shape: [1, 3] }));
  });

  test("what toJSON did not return is refused", () => {
    const json = new BatchNorm(2).toJSON();
    for (const [broken, kind] of [
      [null, TypeError],
      [{}, TypeError],
      [{ ...json, gamma: [1] }, RangeError],
      [{ ...json, gamma: undefined }, TypeError],
      [{ ...json, runningMean: ["x", 1] }, TypeError],
      [{ ...json, runningVariance: [-1, 1] }, RangeError],
      [{ ...json, batchesTracked: 0.5 }, RangeError],
    ] as const) {
      expect(() => Reflect.apply(BatchNorm.fromJSON, BatchNorm, [broken])).toThrow(kind);
    }
  });
});
