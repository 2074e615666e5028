// simdnorm/tfjs: TensorFlow.js' own calls, run on simdnorm where they are large float32 batches with one parameter per
// feature, and on the kernel that was there where they are not.

import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { BatchNorm, init, Tensor } from "simdnorm";
import { register } from "simdnorm/tfjs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { normal, parameters } from "../data.js";
import { expectError } from "../expect-error.js";
import { inferenceBound, normalize, worst } from "../reference.js";

const infer = vi.spyOn(BatchNorm.prototype, "infer");
const kernelOf = (name: string) => tf.getKernel("FusedBatchNorm", name);

beforeEach(() => {
  infer.mockClear();
});

/** N(3, 1). */
function values(shape: readonly number[], seed = 1): Float32Array {
  const draw = normal(seed);
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => 3 + draw());
}

/** A layer of so many features: its parameters as tensors, and as the float32 numbers that they hold. */
function layerOf(features: number, without: readonly string[] = [], seed = 0) {
  const { mean, variance, gamma, beta } = parameters(features + seed);
  const part = (list: ArrayLike<number>) => Float32Array.from(list).subarray(seed);
  const numbers = {
    mean: part(mean),
    variance: part(variance),
    gamma: without.includes("scale") ? null : part(gamma),
    beta: without.includes("offset") ? null : part(beta),
  };
  return {
    numbers,
    mean: tf.tensor1d(numbers.mean),
    variance: tf.tensor1d(numbers.variance),
    scale: numbers.gamma ? tf.tensor1d(numbers.gamma) : undefined,
    offset: numbers.beta ? tf.tensor1d(numbers.beta) : undefined,
  };
}

type Layer = ReturnType<typeof layerOf>;

function run(x: tf.Tensor, { mean, variance, scale, offset }: Layer, epsilon?: number): tf.Tensor {
  return tf.batchNorm(x, mean, variance, offset, scale, epsilon);
}

function expectExact(y: tf.Tensor, x: Float32Array, { numbers }: Layer, epsilon = 1e-3): void {
  const features = numbers.mean.length;
  const sizes = { outer: x.length / features, features, inner: 1 };
  const exact = normalize(x, sizes, { ...numbers, epsilon });
  const bound = (value: number, i: number) => inferenceBound(value, numbers.beta?.[i % features] ?? 0);
  expect(worst(y.dataSync(), exact, bound).ratio).toBeLessThanOrEqual(1);
}

/** Mean, variance, offset and scale, as tfjs takes them. */
function spread([mean, variance, offset, scale]: tf.Tensor4D[]) {
  return [mean, variance, offset, scale] as const;
}

// First, because the heap is small.
describe("a heap that grows", () => {
  const heap = (): number => Reflect.get(tf.backend(), "wasm").HEAPU8.buffer.byteLength;
  let undo: () => void;
  beforeAll(async () => {
    await tf.setBackend("wasm");
    undo = register("wasm");
  });
  afterAll(() => undo());

  test("between calls", () => {
    const x = values([16, 64]);
    const layer = layerOf(64);
    const tensor = tf.tensor(x, [16, 64]);
    expectExact(run(tensor, layer), x, layer);
    const before = heap();
    const room = tf.zeros([before / 4]);
    expect(heap()).toBeGreaterThan(before);
    expectExact(run(tensor, layer), x, layer);
    for (const each of [room, tensor]) each.dispose();
    expect(infer).toHaveBeenCalledTimes(2);
  });

  test("for a tensor that the call fetches from another backend, and for its result", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const before = heap();
    const shape: [number, number, number, number] = [1, before / 4 / 64, 1, 64];
    const x = values(shape);
    await tf.setBackend("cpu");
    const tensor = tf.tensor4d(x, shape);
    const layer = layerOf(64);
    await tf.setBackend("wasm");
    expect(heap()).toBe(before);
    const y = run(tensor, layer);
    expect(heap()).toBeGreaterThan(before);
    expect(infer).toHaveBeenCalledTimes(1);
    expectExact(y, x, layer);
    for (const each of [tensor, y]) each.dispose();
    vi.mocked(console.warn).mockRestore();
  });
});

describe.each(["wasm", "cpu"] as const)("%s", (name) => {
  let undo: () => void;

  beforeAll(async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    await tf.setBackend(name);
    undo = register(name);
  });
  afterAll(() => {
    undo();
    vi.mocked(console.warn).mockRestore();
  });
  beforeEach(() => {
    tf.engine().startScope();
  });
  afterEach(() => {
    tf.engine().endScope();
  });

  test.each([
    [[8, 4, 4, 16]],
    [[1, 7, 7, 100]],
    [[3, 5, 64]],
    [[10, 64]],
    [[2, 1000]],
    [[600, 1]],
    [[200, 3]],
    [[8, 5000]],
  ])("values of %j", (shape) => {
    const x = values(shape);
    const features = shape[shape.length - 1];
    for (const without of [[], ["scale"], ["offset"], ["scale", "offset"]]) {
      const layer = layerOf(features, without);
      const y = run(tf.tensor(x, shape), layer);
      expect(y.shape).toEqual(shape);
      expect(y.dtype).toBe("float32");
      expectExact(y, x, layer);
    }
    expect(infer).toHaveBeenCalledTimes(4);
  });

  test.each([0, 1e-7, 0.5, 1e4])("epsilon %d", (epsilon) => {
    const x = values([20, 40]);
    const layer = layerOf(40);
    expectExact(run(tf.tensor(x, [20, 40]), layer, epsilon), x, layer, epsilon);
    expect(infer).toHaveBeenCalledTimes(1);
  });

  /** What a call gives by the kernel that was there. */
  function stock(call: () => tf.Tensor): ArrayLike<number> {
    undo();
    const y = call().dataSync().slice();
    undo = register(name);
    return y;
  }

  const large = () => tf.tensor(values([16, 64]), [16, 64]);
  const whole = (seed: number) => tf.abs(tf.tensor4d(values([2, 4, 4, 32], seed), [2, 4, 4, 32]));
  const integers = (length: number) => tf.range(1, length + 1, 1, "int32");
  const elsewhere: Record<string, () => tf.Tensor> = {
    "512 values and one per feature": () => run(tf.tensor(values([9, 64]), [9, 64]), layerOf(64)),
    "a row": () => run(tf.tensor(values([1, 2000]), [1, 2000]), layerOf(2000)),
    "no rows": () => run(tf.tensor([], [0, 64]), layerOf(64)),
    "no features": () => run(tf.tensor([], [1000, 0]), layerOf(0)),
    "nothing, in a list": () => run(tf.tensor1d([], "float32"), layerOf(0)),
    "a list": () => run(tf.tensor1d(values([2000])), layerOf(2000)),
    "one value": () => run(tf.scalar(3), layerOf(1)),
    "x of integers": () => run(tf.reshape(integers(1024), [16, 64]), layerOf(64)),
    "a mean of integers": () => run(large(), { ...layerOf(64), mean: integers(64) }),
    "parameters as large as x": () => tf.batchNorm(whole(1), whole(2), whole(3), whole(4), whole(5)),
    "one scale for all features": () => run(large(), { ...layerOf(64), scale: tf.tensor1d([2]) }),
    "one mean for all features": () => run(large(), { ...layerOf(64), mean: tf.tensor1d([2]) }),
  };
  test.each(Object.entries(elsewhere))("%s: by the kernel that was there", (_, call) => {
    const y = call();
    expect(infer).not.toHaveBeenCalled();
    expect(y.dataSync()).toEqual(stock(call));
  });

  test("parameters of any shape, if they have a number for each feature", () => {
    const x = values([2, 1, 1, 600]);
    const layer = layerOf(600);
    const wide = (tensor?: tf.Tensor) => tf.tensor4d(tensor!.dataSync(), [1, 1, 1, 600]);
    const { mean, variance, offset, scale } = layer;
    const parameters = [mean, variance, offset, scale].map(wide);
    expectExact(tf.batchNorm(tf.tensor4d(x, [2, 1, 1, 600]), ...spread(parameters)), x, layer);
    expect(infer).toHaveBeenCalledTimes(1);
  });

  // Numbers so moderate that no product of them overflows: that the kernel of wasm, which multiplies in float32, would
  // make infinite or NaN where the formula is not.
  describe("NaN and infinities are where they were, whatever is odd", () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -1, -0.25, 2];
    const features = odd.length ** 4;
    /** A parameter, so that each of their combinations is a feature's. */
    const parameter = (digit: number) =>
      tf.tensor1d(
        Array.from({ length: features }, (_, j) => odd[Math.floor(j / odd.length ** digit) % odd.length]),
      );
    const kinds = (list: ArrayLike<number>) => Array.from(list, (v) => (Number.isFinite(v) ? 0 : v));

    test.each([
      [0.25, []],
      [0.25, ["scale"]],
      [0.25, ["offset"]],
      [0.25, ["scale", "offset"]],
      [0, []],
      [-0.5, []],
      [Number.NaN, []],
      [Number.POSITIVE_INFINITY, []],
    ] as const)("epsilon %d, without %j", (epsilon, without: readonly string[]) => {
      const [mean, variance, scale, offset] = [0, 1, 2, 3].map(parameter);
      const x = tf.tile(tf.tensor2d(odd, [odd.length, 1]), [1, features]);
      const call = () =>
        tf.batchNorm(
          x,
          mean,
          variance,
          without.includes("offset") ? undefined : offset,
          without.includes("scale") ? undefined : scale,
          epsilon,
        );
      const y = kinds(call().dataSync());
      expect(infer).toHaveBeenCalledTimes(1);
      const expected = kinds(stock(call));
      const wrong = y.findIndex((kind, i) => !Object.is(kind, expected[i]));
      expect(wrong).toBe(-1);
      expect(new Set(y).size).toBe(Number.isNaN(epsilon) ? 1 : 4);
    });
  });

  test("layers that share tensors, called in turn", () => {
    const x = values([20, 40]);
    const tensor = tf.tensor(x, [20, 40]);
    const base = layerOf(40);
    const other = layerOf(40, [], 7);
    const layers: [Layer, number][] = [
      [base, 1e-3],
      [{ ...base, mean: other.mean, numbers: { ...base.numbers, mean: other.numbers.mean } }, 1e-3],
      [{ ...base, scale: other.scale, numbers: { ...base.numbers, gamma: other.numbers.gamma } }, 1e-3],
      [{ ...base, offset: other.offset, numbers: { ...base.numbers, beta: other.numbers.beta } }, 1e-3],
      [{ ...base, scale: undefined, numbers: { ...base.numbers, gamma: null } }, 1e-3],
      [{ ...base, offset: undefined, numbers: { ...base.numbers, beta: null } }, 1e-3],
      [base, 0.5],
    ];
    for (let turn = 0; turn < 2; turn++) {
      for (const [layer, epsilon] of layers) expectExact(run(tensor, layer, epsilon), x, layer, epsilon);
    }
    expect(infer).toHaveBeenCalledTimes(14);
  });

  test("variables that were assigned", () => {
    const x = values([20, 40]);
    const tensor = tf.tensor(x, [20, 40]);
    const first = layerOf(40);
    const second = layerOf(40, [], 3);
    const mean = tf.variable(first.mean);
    const variance = tf.variable(first.variance);
    expectExact(run(tensor, { ...first, mean, variance }), x, first);
    mean.assign(second.mean);
    variance.assign(second.variance);
    const { mean: m, variance: v } = second.numbers;
    const after = { ...first, numbers: { ...first.numbers, mean: m, variance: v } };
    expectExact(run(tensor, { ...after, mean, variance }), x, after);
    mean.dispose();
    variance.dispose();
    expect(infer).toHaveBeenCalledTimes(2);
  });

  test("a result outlives its tidy, and nothing else does", () => {
    const x = values([20, 40]);
    const layer = layerOf(40);
    const tensor = tf.tensor(x, [20, 40]);
    const before = tf.memory();
    const y = tf.tidy(() => {
      run(tensor, layer);
      return run(run(tensor, layer), layer);
    });
    expect(tf.memory().numTensors).toBe(before.numTensors + 1);
    expect(tf.memory().numBytes).toBe(before.numBytes + 4 * 800);
    y.dispose();
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    expectExact(run(tensor, layer), x, layer);
  });

  test("thousands of layers come and go, and linear memory stays as large as it was", () => {
    const linear = () => {
      const tensor = new Tensor([1]);
      const { byteLength } = tensor.data.buffer;
      tensor.dispose();
      return byteLength;
    };
    const before = [linear(), tf.memory().numTensors];
    for (let i = 0; i < 5000; i++) {
      tf.tidy(() => {
        const parameter = () => tf.fill([600], 1 + i);
        tf.batchNorm(tf.fill([2, 600], i), parameter(), parameter(), parameter(), parameter());
      });
    }
    expect(infer).toHaveBeenCalledTimes(5000);
    expect([linear(), tf.memory().numTensors]).toEqual(before);
  });

  test("runs on simdnorm's JavaScript kernels, too", () => {
    const x = values([20, 40]);
    const layer = layerOf(40);
    init({ backend: "javascript" });
    const y = run(tf.tensor(x, [20, 40]), layer);
    init({ backend: "wasm" });
    expectExact(y, x, layer);
    expect(infer).toHaveBeenCalledTimes(1);
  });

  test("undone, the kernel is the one that was there; registered twice, it is registered once", () => {
    const ours = kernelOf(name);
    const again = register(name);
    expect(kernelOf(name)).toBe(ours);
    again();
    const original = kernelOf(name);
    expect(original.kernelFunc).not.toBe(ours.kernelFunc);
    run(large(), layerOf(64));
    expect(infer).not.toHaveBeenCalled();
    undo();
    expect(kernelOf(name)).toBe(original);
    undo = register(name);
    run(large(), layerOf(64));
    expect(infer).toHaveBeenCalledTimes(1);
  });

  test("a kernel that came later is left alone", () => {
    const ours = kernelOf(name);
    const later = { ...ours };
    const put = (kernel: tf.KernelConfig) => {
      tf.unregisterKernel("FusedBatchNorm", name);
      tf.registerKernel(kernel);
    };
    put(later);
    undo();
    expect(kernelOf(name)).toBe(later);
    put(ours);
  });
});

describe("without a name", () => {
  const names = ["wasm", "cpu"] as const;

  test("every backend that is there is meant", () => {
    const before = names.map(kernelOf);
    const undo = register();
    for (const [i, name] of names.entries()) expect(kernelOf(name)).not.toBe(before[i]);
    undo();
    expect(names.map(kernelOf)).toEqual(before);
  });

  test("none there: says what to import", () => {
    const before = names.map(kernelOf);
    const [wasm] = before;
    try {
      tf.unregisterKernel("FusedBatchNorm", "wasm");
      const message =
        'backend: expected "wasm" to be there, got none (import "@tensorflow/tfjs-backend-wasm" before)';
      expectError(() => register("wasm"), RangeError, message);
      register()();
      expect(kernelOf("wasm")).toBeUndefined();
      tf.unregisterKernel("FusedBatchNorm", "cpu");
      expectError(() => register(), RangeError, 'backend: expected "wasm" or "cpu" to be there, got none');
    } finally {
      for (const kernel of before) if (kernelOf(kernel.backendName) === undefined) tf.registerKernel(kernel);
    }
    expect(kernelOf("wasm")).toBe(wasm);
  });
});

test.each([
  ["webgl", RangeError, "webgl"],
  ["", RangeError, ""],
  [5, TypeError, "5"],
  [null, TypeError, "null"],
  [{ backend: "wasm" }, TypeError, "an object"],
] as const)("%j is no backend of ours", (backend, kind, got) => {
  expectError(
    () => Reflect.apply(register, undefined, [backend]),
    kind,
    `backend: expected "wasm" or "cpu", got ${got}`,
  );
});
