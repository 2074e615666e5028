// Trained layers from other frameworks, and layers saved and loaded.

import { BatchNorm } from "simdnorm";
import { describe, expect, test } from "vitest";
import { expectError } from "./expect-error.js";
import { inferenceBound, normalize, worst } from "./reference.js";

const gamma = [0.5, 2];
const beta = [1, -1];
const mean = [3, 5];
const variance = [4, 0.25];
const x = Float32Array.of(2, 4, 3, 5, 4, 6);

function expectInference(
  layer: BatchNorm,
  parameters: { gamma?: number[]; beta?: number[] },
  epsilon: number,
): void {
  const sizes = { outer: 3, features: 2, inner: 1 };
  const exact = normalize(x, sizes, { mean, variance, ...parameters, epsilon });
  const bound = (y: number, i: number) => inferenceBound(y, parameters.beta?.[i % 2] ?? 0);
  expect(worst(layer.infer(x, { shape: [3, 2] }), exact, bound).ratio).toBeLessThanOrEqual(1);
}

/** A call that TypeScript may refuse, as JavaScript users can make it. */
const fromPyTorch = (...args: unknown[]) => Reflect.apply(BatchNorm.fromPyTorch, BatchNorm, args);
const fromKeras = (...args: unknown[]) => Reflect.apply(BatchNorm.fromKeras, BatchNorm, args);
const fromOnnx = (...args: unknown[]) => Reflect.apply(BatchNorm.fromOnnx, BatchNorm, args);

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
    expect(layer.runningMean[0]).toBe(3 * 0.75 + 3 * 0.25);
    expect(layer.runningVariance[0]).toBe(4 * 0.75 + 1 * 0.25);
  });

  test("a Map, as some readers return", () => {
    const layer = BatchNorm.fromPyTorch(new Map<string, unknown>(Object.entries(stateDict)), {
      prefix: "layer1.0.bn1",
    });
    expect(layer.batchesTracked).toBe(7);
    expectInference(layer, { gamma, beta }, 1e-5);
  });

  test("every batch norm of a model", () => {
    const model = {
      ...stateDict,
      "layer1.0.bn2.running_mean": [1, 2, 3],
      "layer1.0.bn2.running_var": [4, 5, 6],
      "norm.weight": [1, 2],
    };
    for (const dict of [model, new Map<string, unknown>(Object.entries(model))]) {
      const layers = BatchNorm.allFromPyTorch(dict, { epsilon: 1e-3 });
      expect([...layers.keys()]).toEqual(["layer1.0.bn1", "layer1.0.bn2"]);
      expect(layers.get("layer1.0.bn1")?.toJSON()).toEqual(
        BatchNorm.fromPyTorch(stateDict, { prefix: "layer1.0.bn1", epsilon: 1e-3 }).toJSON(),
      );
      expect(layers.get("layer1.0.bn2")).toMatchObject({ features: 3, gamma: null, epsilon: 1e-3, axis: 1 });
    }
    expect([...BatchNorm.allFromPyTorch({ running_mean: mean, running_var: variance }).keys()]).toEqual([""]);
    expect(BatchNorm.allFromPyTorch({ "norm.weight": [1, 2] })).toEqual(new Map());
  });

  test("a prefix without a batch norm: which have one", () => {
    const two = { ...stateDict, "bn.running_mean": mean, "bn.running_var": variance };
    const expected = 'prefix: expected one of "layer1.0.bn1", "bn", got';
    for (const prefix of ["layer1", "bn1", "layer1.0.bn1..", "BN", "n"]) {
      expectError(() => fromPyTorch(two, { prefix }), RangeError, `${expected} "${prefix}"`);
    }
    expectError(() => fromPyTorch(two), RangeError, `${expected} ""`);
    for (const none of [{}, [], { weight: [1] }, { not_running_mean: [1] }]) {
      expect(() => fromPyTorch(none)).toThrow(TypeError);
    }
    expectError(
      () => fromPyTorch({ state_dict: stateDict }),
      TypeError,
      'stateDict: expected a name that ends in "running_mean", got none',
    );
  });

  describe("what is missing or does not fit", () => {
    const bare = { running_mean: Float32Array.from(mean), running_var: variance };
    const bytes = new Uint8Array(bare.running_mean.buffer);
    const floats = "expected an array of floating-point numbers, got";
    test.each([
      [null, TypeError, "stateDict: expected an object or a Map of arrays by name, got null"],
      [[1, 2], TypeError, "stateDict: expected an object or a Map of arrays by name, got [1, 2]"],
      [{ running_mean: mean }, TypeError, `stateDict["running_var"]: ${floats} undefined`],
      [
        { ...bare, running_var: [1] },
        RangeError,
        "runningVariance: expected an array of features = 2 numbers",
      ],
      [{ ...bare, weight: [1, 2, 3] }, RangeError, "gamma: expected an array of features = 2 numbers"],
      [
        { ...bare, running_var: [1, "2"] },
        TypeError,
        'stateDict["running_var"][1]: expected a number, got "2"',
      ],
      [{ ...bare, running_mean: new Array(2) }, TypeError, 'stateDict["running_mean"][0]: expected a number'],
      [{ ...bare, running_mean: "3, 5" }, TypeError, `stateDict["running_mean"]: ${floats} "3, 5"`],
      [{ ...bare, running_mean: {} }, TypeError, `stateDict["running_mean"]: ${floats} an object`],
      [{ ...bare, running_mean: BigInt64Array.of(3n, 5n) }, TypeError, `${floats} a BigInt64Array`],
      [{ ...bare, running_mean: Uint16Array.of(1, 2) }, TypeError, "the bits of float16 or bfloat16"],
      [{ ...bare, running_mean: { data: async () => {} } }, TypeError, "(write tensor.dataSync())"],
      [{ ...bare, running_mean: { data() {} } }, TypeError, "(write tensor.dataSync())"],
      [
        { ...bare, running_mean: bytes },
        TypeError,
        `${floats} bytes (if of float32, write new Float32Array(`,
      ],
      [{ ...bare, running_mean: { dtype: "F32", data: bytes } }, TypeError, `${floats} bytes`],
      [{ ...bare, running_mean: { dtype: "F32", data: bytes.buffer } }, TypeError, `${floats} bytes`],
      [
        { ...bare, running_mean: { shape: [2], data: Array.from(bytes) } },
        RangeError,
        'stateDict["running_mean"]: expected as many numbers as its shape [2] has, got 8',
      ],
      [
        { ...bare, num_batches_tracked: -1 },
        RangeError,
        'stateDict["num_batches_tracked"]: expected a non-n',
      ],
      [
        { ...bare, num_batches_tracked: [1, 2] },
        TypeError,
        'stateDict["num_batches_tracked"]: expected a non-n',
      ],
      // The 8 bytes of a 64-bit integer, of which the first is not the number.
      [
        { ...bare, num_batches_tracked: new Uint8Array(8) },
        TypeError,
        "a non-negative integer, got a Uint8Array",
      ],
    ] as const)("%#", (dict, kind, message) => {
      expectError(() => fromPyTorch(dict), kind, message);
    });

    test("what the errors say of bytes is right, also for a part of a file", () => {
      const file = new Uint8Array(9);
      file.set(bytes, 1);
      const part = file.subarray(1);
      expectError(
        () => fromPyTorch({ running_mean: part }),
        TypeError,
        "write new Float32Array(Uint8Array.from(bytes).buffer)",
      );
      const read = new Float32Array(Uint8Array.from(part).buffer);
      const layer = BatchNorm.fromPyTorch({
        running_mean: read,
        running_var: new Float32Array(bytes.buffer),
      });
      expect(Array.from(layer.runningMean)).toEqual(mean);
      expect(Array.from(layer.runningVariance)).toEqual(mean);
    });

    test.each([
      [1, "prefix: expected a string, got 1"],
      [null, "prefix: expected a string, got null"],
    ])("prefix %j", (prefix, message) => {
      expectError(() => fromPyTorch(stateDict, { prefix }), TypeError, message);
    });
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
    expect(layer.momentum).toBe(1 - 0.9);
    expectInference(BatchNorm.fromKeras([gamma, beta, mean, variance]), { gamma, beta }, 1e-3);
    expect(BatchNorm.fromKeras([gamma, beta, mean, variance]).momentum).toBe(1 - 0.99);
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

  test("by name, of several layers", () => {
    const model = new Map<string, unknown>([
      ["model/dense/kernel:0", [1]],
      ...["model/bn1", "model/bn", "model/block/bn1"].flatMap((path, k) => [
        [`${path}/gamma:0`, gamma.map((g) => g + k)] as const,
        [`${path}/beta:0`, beta] as const,
        [`${path}/moving_mean:0`, mean] as const,
        [`${path}/moving_variance:0`, variance] as const,
      ]),
    ]);
    for (const [name, k] of [
      ["model/bn1", 0],
      ["bn", 1],
      ["model/bn", 1],
      ["block/bn1", 2],
    ] as const) {
      expectInference(BatchNorm.fromKeras(model, { name }), { gamma: gamma.map((g) => g + k), beta }, 1e-3);
    }
    const all = 'name: expected one of "model/bn1", "model/bn", "model/block/bn1", got';
    expectError(() => fromKeras(model), TypeError, `${all} undefined`);
    for (const name of ["bn1", "n", "bn2", "model"]) {
      expectError(() => fromKeras(model, { name }), RangeError, `${all} "${name}"`);
    }
    expectError(() => fromKeras(model, { name: 1 }), TypeError, "name: expected a string, got 1");
  });

  test("the name of a config that comes with the arrays of its layer alone", () => {
    const named = { gamma, beta, moving_mean: mean, moving_variance: variance };
    expectInference(BatchNorm.fromKeras(named, { name: "bn" }), { gamma, beta }, 1e-3);
    expectInference(
      BatchNorm.fromKeras([gamma, beta, mean, variance], { name: "bn" }),
      { gamma, beta },
      1e-3,
    );
  });

  test("its training: momentum weighs the old value, the variance is the biased one", () => {
    const layer = BatchNorm.fromKeras([gamma, beta, mean, variance], { momentum: 0.9 });
    layer.train(x);
    // A handful of roundings in float64 of numbers below 4.
    const error = layer.runningVariance[0] - (0.9 * 4 + 0.1 * (2 / 3));
    expect(Math.abs(error)).toBeLessThanOrEqual(8 * 2 ** -53 * 4);
  });

  test.each([
    [[null], TypeError, "weights: expected the list of get_weights(), or arrays by name, got null"],
    [[], TypeError, "weights: expected the list of get_weights(), or arrays by name, got undefined"],
    [
      [Float32Array.of(1)],
      TypeError,
      "weights: expected the list of get_weights(), or arrays by name, got a",
    ],
    [
      [[mean, variance]],
      RangeError,
      "weights: expected 4 arrays (gamma, beta, moving_mean, moving_variance), got 2",
    ],
    [[[gamma, beta, mean, new Array(2)]], TypeError, "moving_variance[0]: expected a number, got undefined"],
    [[new Array(4)], TypeError, "moving_mean: expected an array of floating-point numbers, got undefined"],
    [[{ gamma, beta }], TypeError, 'weights: expected a name that ends in "moving_mean", got none'],
    [
      [{ "bn/moving_mean": mean, "bn/moving_variance": variance }],
      TypeError,
      'weights["bn/gamma"]: expected an array of floating-point numbers, got undefined',
    ],
    [
      [[gamma, beta, mean, variance], { momentum: 2 }],
      RangeError,
      "momentum: expected a number from 0 to 1, got 2",
    ],
    [[[gamma, beta, mean, variance], { axis: [1, 2] }], TypeError, "axis: expected an integer, got [1, 2]"],
    [[[gamma, beta, mean, variance], { scale: 1 }], TypeError, "scale: expected a boolean, got 1"],
    [[[gamma, beta, mean, variance], null], TypeError, "expected an object, got null"],
  ] as const)("what is missing or does not fit, case %#", (args, kind, message) => {
    expectError(() => fromKeras(...args), kind, message);
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
      expect(layer.momentum).toBe(1 - 0.8);
      expectInference(layer, { gamma, beta }, 1e-4);
    }
  });

  test.each([
    [null, TypeError, "inputs: expected the list of inputs after X, or arrays by name, got null"],
    [[gamma, beta, mean], RangeError, "inputs: expected 4 arrays (scale, B, input_mean, input_var), got 3"],
    [
      { scale: gamma, B: beta },
      TypeError,
      'inputs["input_mean"]: expected an array of floating-point numbers',
    ],
    [
      [gamma, beta, mean, null],
      TypeError,
      "input_var: expected an array of floating-point numbers, got null",
    ],
  ] as const)("what is missing, case %#", (inputs, kind, message) => {
    expectError(() => fromOnnx(inputs), kind, message);
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

  const json = new BatchNorm(2).toJSON();

  test.each(Object.keys(json))("without %s it is refused", (field) => {
    const { [field]: _, ...rest }: Record<string, unknown> = { ...json };
    expectError(() => Reflect.apply(BatchNorm.fromJSON, BatchNorm, [rest]), TypeError, `${field}: expected`);
  });

  test.each([
    [null, TypeError, "json: expected what toJSON returned, got null"],
    [JSON.stringify(json), TypeError, "got a string (JSON.parse it first)"],
    [{ ...json, axis: 0.5 }, RangeError, "axis: expected an integer, got 0.5"],
    [{ ...json, epsilon: "NaN" }, RangeError, "epsilon: expected a non-negative number, got NaN"],
    [{ ...json, momentum: 2 }, RangeError, "momentum: expected a number from 0 to 1, or null, got 2"],
    [{ ...json, unbiased: null }, TypeError, "unbiased: expected a boolean, got null"],
    [{ ...json, gamma: [1] }, RangeError, "gamma: expected an array of 2 numbers, got length 1"],
    [{ ...json, runningMean: ["x", 1] }, TypeError, 'runningMean[0]: expected a number, got "x"'],
    [{ ...json, runningVariance: [-1, 1] }, RangeError, "runningVariance[0]: expected a non-negative number"],
    [
      { ...json, batchesTracked: 0.5 },
      RangeError,
      "batchesTracked: expected a non-negative integer, got 0.5",
    ],
  ] as const)("what toJSON did not return is refused, case %#", (broken, kind, message) => {
    expectError(() => Reflect.apply(BatchNorm.fromJSON, BatchNorm, [broken]), kind, message);
  });
});
