// Bad input: the right kind of error, which names the argument, what was expected and what came, before
// anything is written.

import {
  Affine,
  BatchNorm,
  backend,
  Extrema,
  GroupNorm,
  ImageScaler,
  init,
  LayerNorm,
  MinMaxScaler,
  Moments,
  StandardScaler,
  Tensor,
} from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { expectError, type Kind } from "./expect-error.js";

/** Calls that TypeScript would refuse, as JavaScript users can make them. */
const unchecked = (value: unknown): never => value as never;

describe("init", () => {
  test.each([
    [null, TypeError, "options: expected an object, got null"],
    [{ backend: "gpu" }, RangeError, 'backend: expected "wasm" or "javascript", got gpu'],
    [{ backend: 1 }, TypeError, 'backend: expected "wasm" or "javascript", got 1'],
    [{ module: {} }, TypeError, "module: expected a WebAssembly.Module, got an object"],
    [
      new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
      TypeError,
      "options: expected an object of options, got a module (write init({ module }))",
    ],
    [{ memory: -1 }, RangeError, "memory: expected a number of bytes from 0 to 4 GiB, got -1"],
    [{ memory: "1" }, TypeError, 'memory: expected a number of bytes from 0 to 4 GiB, got "1"'],
  ] as const)("%j", (options, kind, message) => {
    const before = backend();
    expectError(() => init(unchecked(options)), kind, message);
    expect(backend()).toBe(before);
  });
});

describe("messages are short, whatever came", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle, cycle);
  let deep: unknown[] = [];
  for (let level = 0; level < 100_000; level++) deep = [deep];
  const wide = (level: number): unknown[] => new Array(8).fill(level === 0 ? "wide" : wide(level - 1));
  const counted = (n: number) => `[an array of ${n}, an array of ${n}]`;
  test.each([
    ["a cycle", cycle, `got [${counted(2)}, ${counted(2)}]`],
    ["arrays in arrays", deep, "got [[an array of 1]]"],
    ["8⁷ strings", wide(6), "got [[an array of 8, an array of 8, "],
    ["a long string", "y".repeat(1e6), 'got "yyyyyyyy'],
    ["a bigint", 10n ** 10_000n, "got a large bigint"],
    ["a bigint that is read", 2n ** 62n, "got 4611686018427387904n"],
  ])("%s", (_, value, message) => {
    for (const call of [
      () => new BatchNorm(2, { axis: unchecked(value) }),
      () => new Moments({ nan: unchecked([value]) }),
      () => new StandardScaler(2, { withMean: unchecked(value) }),
    ]) {
      let error: unknown;
      try {
        call();
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(TypeError);
      expect(error instanceof Error ? error.message.length : 0).toBeLessThan(300);
    }
    expectError(() => new BatchNorm(2, { axis: unchecked(value) }), TypeError, message);
  });

  test("a long name, and a long value where names are expected", () => {
    const long = "y".repeat(1e6);
    for (const call of [
      () => new BatchNorm(2, unchecked({ [long]: 1 })),
      () => new Moments({ nan: unchecked(long) }),
    ]) {
      expect(call).toThrow(/^(?=.{100,400}$)/);
    }
  });
});

describe("holes are nothing, and nothing is no number", () => {
  /** The list without its second item, as `[1, , 3]` has none. */
  function hole<Item>(list: readonly Item[]): never {
    const sparse = list.slice();
    delete sparse[1];
    return unchecked(sparse);
  }

  const moments = new Moments(3, { nan: "ignore" }).add(Float32Array.of(1, 2, 3)).toJSON();
  const extrema = new Extrema(3).add(Float32Array.of(1, 2, 3)).toJSON();
  const pixels = { data: new Uint8ClampedArray(16).fill(7), width: 2, height: 2 };
  const images = ImageScaler.fit([pixels]).toJSON();
  test.each([
    ["mean", () => Moments.fromJSON({ ...moments, mean: hole([1, 2, 3]) }), "mean[1]: expected a number"],
    ["m2", () => Moments.fromJSON({ ...moments, m2: hole([1, 2, 3]) }), "m2[1]: expected a number"],
    ["count", () => Moments.fromJSON({ ...moments, count: hole([1, 2, 3]) }), "count[1]: expected a"],
    ["min", () => Extrema.fromJSON({ ...extrema, min: hole([1, 2, 3]) }), "min[1]: expected a number"],
    [
      "sums",
      () =>
        ImageScaler.fromJSON(unchecked({ ...images, sums: { ...images.sums, sum: hole(["0", "0", "0"]) } })),
      "sum[1]: expected an integer in digits, got undefined",
    ],
    ["shape", () => new Tensor(hole([2, 2])), "shape: expected an array of non-negative integers, got [2, ]"],
    [
      "an empty shape of two",
      () => new Tensor(new Array(2)),
      "shape: expected an array of non-negative integers",
    ],
    [
      "shape of x",
      () => new Moments({ axis: 0 }).add(new Float32Array(2), { shape: hole([2, 1]) }),
      "shape: expected an array of non-negative integers",
    ],
  ])("%s", (_, call, message) => {
    expectError(call, TypeError, message);
  });
});

describe("null is no default", () => {
  const standard = { mean_: [1], scale_: [1], var_: [1], n_samples_seen_: 3 };
  const minmax = { data_min_: [1], data_max_: [2] };
  const none = unchecked(null);
  test.each([
    ["axis of Affine", () => new Affine(2, { axis: none }), "axis: expected an integer, got null"],
    [
      "axis",
      () => StandardScaler.fromSklearn(standard, { axis: none }),
      "axis: expected an integer, got null",
    ],
    ["axis", () => MinMaxScaler.fromSklearn(minmax, { axis: none }), "axis: expected an integer, got null"],
    [
      "with_std",
      () => StandardScaler.fromSklearn({ ...standard, with_std: none }),
      "with_std: expected a boolean, got null",
    ],
    [
      "feature_range",
      () => MinMaxScaler.fromSklearn({ ...minmax, feature_range: none }),
      "range: expected [low, high], two float32 numbers with low < high, got null",
    ],
    ["withMean", () => new StandardScaler({ withMean: none }), "withMean: expected a boolean, got null"],
    ["withStd", () => new StandardScaler({ withStd: none }), "withStd: expected a boolean, got null"],
    ["clip", () => new MinMaxScaler({ clip: none }), "clip: expected a boolean, got null"],
    ["range", () => new MinMaxScaler({ range: none }), "range: expected [low, high]"],
  ])("%s", (_, call, message) => {
    expectError(call, TypeError, message);
  });
});

// Frameworks make proxies of what they watch, and a proxy has nothing of the private state.
const proxied = <Noun extends object>(noun: Noun) => new Proxy(noun, {});
test.each([
  ["Affine", () => new Affine(2).pipe(proxied(new Affine(2)))],
  ["Moments", () => new Moments(2).merge(proxied(new Moments(2)))],
  ["Extrema", () => new Extrema(2).merge(proxied(new Extrema(2)))],
  ["StandardScaler", () => new StandardScaler(2).merge(proxied(new StandardScaler(2)))],
  ["MinMaxScaler", () => new MinMaxScaler(2).merge(proxied(new MinMaxScaler(2)))],
  ["ImageScaler", () => new ImageScaler().merge(proxied(new ImageScaler()))],
])("a proxied %s is not taken for the other", (name, call) => {
  expectError(call, TypeError, `${name}, got a proxied ${name} (give the object itself)`);
});

describe("what a saved scaler cannot have been fitted to", () => {
  const state = new StandardScaler(1).fit(Float32Array.of(1, 2)).toJSON();
  const saved = (moments: object) => () =>
    StandardScaler.fromJSON(unchecked({ ...state, moments: { ...state.moments, ...moments } }));
  const ends = new MinMaxScaler(1).fit(Float32Array.of(1, 2)).toJSON();
  const savedEnds = (extrema: object) => () =>
    MinMaxScaler.fromJSON(unchecked({ ...ends, extrema: { ...ends.extrema, ...extrema } }));
  test.each([
    ["a mean of NaN", saved({ mean: ["NaN"] }), "json: expected finite statistics, got NaN in feature 0"],
    [
      "an infinite mean",
      saved({ mean: ["-Infinity"] }),
      "json: expected finite statistics, got -Infinity in",
    ],
    ["moments that pass NaN on", saved({ nan: "propagate" }), 'nan: expected "ignore", got propagate'],
    [
      "ends of NaN",
      savedEnds({ min: ["NaN"], max: ["NaN"] }),
      "json: expected min ≤ max, got min NaN and max NaN",
    ],
    [
      "an infinite end",
      savedEnds({ max: ["Infinity"] }),
      "json: expected finite statistics, got Infinity in",
    ],
  ])("%s", (_, call, message) => {
    expectError(call, RangeError, message);
  });
});

onBothBackends(() => {
  describe("constructors", () => {
    test.each([
      [[0], RangeError, "features: expected a positive integer, got 0"],
      [[1.5], RangeError, "features: expected a positive integer, got 1.5"],
      [[2 ** 40], RangeError, "features: expected at most 2²⁸, got 1099511627776"],
      [["2"], TypeError, 'features: expected a positive integer, got "2"'],
      [[], TypeError, "features: expected a positive integer, got undefined"],
      [[2, 7], TypeError, "options: expected an object, got 7"],
      [[2, null], TypeError, "options: expected an object, got null"],
      [[2, { axis: 0.5 }], RangeError, "axis: expected an integer, got 0.5"],
      [[2, { axis: "1" }], TypeError, 'axis: expected an integer, got "1"'],
      [[2, { epsilon: -1 }], RangeError, "epsilon: expected a non-negative number, got -1"],
      [[2, { epsilon: Number.NaN }], RangeError, "epsilon: expected a non-negative number, got NaN"],
      [[2, { epsilon: Infinity }], RangeError, "epsilon: expected a non-negative number, got Infinity"],
      [[2, { momentum: 1.1 }], RangeError, "momentum: expected a number from 0 to 1, or null, got 1.1"],
      [[2, { momentum: "0.1" }], TypeError, 'momentum: expected a number from 0 to 1, or null, got "0.1"'],
      [[2, { unbiased: 1 }], TypeError, "unbiased: expected a boolean, got 1"],
      [[2, { gamma: [1] }], RangeError, "gamma: expected an array of features = 2 numbers, got length 1"],
      [[2, { gamma: 1 }], TypeError, "gamma: expected an array of features = 2 numbers, got 1"],
      [[2, { beta: ["1", 2] }], TypeError, 'beta[0]: expected a number, got "1"'],
      [
        [2, { runningMean: null }],
        TypeError,
        "runningMean: expected an array of features = 2 numbers, got null",
      ],
      [
        [2, { runningVariance: [1, -1] }],
        RangeError,
        "runningVariance[1]: expected a non-negative number, got -1",
      ],
    ] as const)("new BatchNorm(...%j)", (args, kind, message) => {
      expectError(() => Reflect.construct(BatchNorm, args), kind, message);
    });

    test.each([
      [[0], RangeError, "features: expected a positive integer, got 0"],
      [
        [2, { scale: [1, 2, 3] }],
        RangeError,
        "scale: expected an array of features = 2 numbers, got length 3",
      ],
    ] as const)("new Affine(...%j)", (args, kind, message) => {
      expectError(() => Reflect.construct(Affine, args), kind, message);
    });

    test.each([
      [[[2, -1]], RangeError, "shape: expected an array of non-negative integers, got [2, -1]"],
      [[new Array(2)], TypeError, "shape: expected an array of non-negative integers, got [, ]"],
      [[[]], RangeError, "shape: expected at least one axis, got []"],
      [[[2 ** 40]], RangeError, "memory: expected "],
      [[[2 ** 52, 2 ** 52, 2]], RangeError, "memory: expected "],
      [[[...new Array(20).fill(2 ** 52), 0], [1]], RangeError, "data: expected a length of 0 for shape"],
      [["2"], TypeError, 'shape: expected an array of non-negative integers, got "2"'],
      [[[2, 3], new Float32Array(5)], RangeError, "data: expected a length of 6 for shape [2, 3], got 5"],
      [
        [[2, 3], new DataView(new ArrayBuffer(6))],
        TypeError,
        "data: expected a Float32Array or an array of numbers",
      ],
      [[[2], [1, "2"]], TypeError, 'data[1]: expected a number, got "2"'],
    ] as const)("new Tensor(...%j)", (args, kind, message) => {
      expectError(() => Reflect.construct(Tensor, args), kind, message);
    });
  });

  describe("calls", () => {
    const x = Float32Array.of(1, 2, 3, 4);
    const overlapping = new Float32Array(5);
    const cases: [unknown[], Kind, string][] = [
      [[], TypeError, "x: expected a Float32Array or a Tensor, got undefined"],
      [[[1, 2, 3, 4]], TypeError, "x: expected a Float32Array or a Tensor, got [1, 2, 3, 4]"],
      [[new Float64Array(4)], TypeError, "x: expected a Float32Array or a Tensor, got a Float64Array"],
      [[{ length: 4 }], TypeError, "x: expected a Float32Array or a Tensor, got an object"],
      [[new Float32Array(5)], RangeError, "x: expected a length that is a multiple of features = 2, got 5"],
      [[x, 3], TypeError, "options: expected an object, got 3"],
      [[x, { shape: [2, 3] }], RangeError, "shape: expected 2 features on axis -1, got 3 in [2, 3]"],
      [[x, { shape: [3, 2] }], RangeError, "shape: expected sizes whose product is x's length 4, got [3, 2]"],
      [[x, { shape: [] }], RangeError, "shape: expected at least 1 axes for axis = -1, got []"],
      [
        [x, { shape: [2, 2.5] }],
        RangeError,
        "shape: expected an array of non-negative integers, got [2, 2.5]",
      ],
      [[x, { shape: "2,2" }], TypeError, 'shape: expected an array of non-negative integers, got "2,2"'],
      [[x, { out: [0, 0, 0, 0] }], TypeError, "out: expected a Float32Array or a Tensor, got [0, 0, 0, 0]"],
      [[x, { out: new Float32Array(3) }], RangeError, "out: expected x's length 4, got 3"],
      [[x, { activation: "tanh" }], RangeError, 'activation: expected "relu" or "relu6", got tanh'],
      [[x, { activation: 1 }], TypeError, 'activation: expected "relu" or "relu6", got 1'],
      [[x, { residual: new Float32Array(2) }], RangeError, "residual: expected x's length 4, got 2"],
      [[x, { residual: 1 }], TypeError, "residual: expected a Float32Array or a Tensor, got 1"],
      [
        [overlapping.subarray(0, 4), { out: overlapping.subarray(1) }],
        RangeError,
        "out: expected x itself or memory apart from it, got an overlap of the two",
      ],
      [
        [x, { residual: overlapping.subarray(0, 4), out: overlapping.subarray(1) }],
        RangeError,
        "out: expected residual itself or memory apart from it, got an overlap of the two",
      ],
    ];

    test.each(cases)("train and infer and apply, case %#", (args, kind, message) => {
      const layer = new BatchNorm(2);
      const state = [layer.runningMean.slice(), layer.runningVariance.slice()];
      expectError(() => Reflect.apply(layer.train, layer, args), kind, message);
      expectError(() => Reflect.apply(layer.infer, layer, args), kind, message);
      const map = layer.fold();
      expectError(() => Reflect.apply(map.apply, map, args), kind, message);
      expect([layer.runningMean, layer.runningVariance, layer.batchesTracked]).toEqual([...state, 0]);
      expect(overlapping).toEqual(new Float32Array(5));
    });

    test("a feature axis that is not the last needs a shape", () => {
      const message =
        "shape: expected the sizes of x, because its feature axis 1 is not the last, got undefined";
      expectError(() => new BatchNorm(2, { axis: 1 }).infer(x), TypeError, message);
      expectError(
        () => new BatchNorm(2, { axis: 2 }).infer(x, { shape: [2, 2] }),
        RangeError,
        "shape: expected at least 3 axes for axis = 2, got [2, 2]",
      );
    });

    test("training on one value per feature", () => {
      const layer = new BatchNorm(2, { unbiased: false });
      const message = "x: expected at least 2 values per feature to train on, got 1";
      expectError(() => layer.train(Float32Array.of(1, 2)), RangeError, message);
      expectError(() => layer.train(new Float32Array(0)), RangeError, "got 0");
      expect(layer.batchesTracked).toBe(0);
      expect(layer.runningMean).toEqual(new Float64Array(2));
    });

    test("a shape of no values, however large the rest of it", () => {
      const none = new Float32Array(0);
      const shape = [2 ** 50, 2, 0];
      expect(new BatchNorm(2, { axis: 1 }).infer(none, { shape })).toEqual(none);
      expect(new Moments(2, { axis: 1 }).add(none, { shape }).count).toBe(0);
      using tensor = new Tensor(shape);
      expect(new BatchNorm(2, { axis: 1 }).infer(tensor).shape).toEqual(shape);
    });

    test("moments whose counts differ", () => {
      const moments = new Moments(2, { nan: "ignore" }).add(Float32Array.of(1, 2, 3, Number.NaN));
      const message =
        'moments.count: expected one number, the same for all features (Moments without nan: "ignore"), got a Float64Array';
      expectError(() => new BatchNorm(2).train(x, { moments }), TypeError, message);
    });

    test("what a message to a worker leaves of an object", () => {
      const message =
        "json: expected what toJSON returned, got an object without fields (post object.toJSON(), not the object)";
      expectError(() => Moments.fromJSON(structuredClone(new Moments(2)) as never), TypeError, message);
      expectError(() => BatchNorm.fromJSON(structuredClone(new BatchNorm(2)) as never), TypeError, message);
    });

    test("an array whose memory was transferred away", () => {
      const gone = new Float32Array(4);
      structuredClone(gone.buffer, { transfer: [gone.buffer] });
      expectError(() => new BatchNorm(2).infer(gone), TypeError, "x: expected an array in use");
      const layer = new BatchNorm(2);
      const { runningMean } = layer;
      structuredClone(runningMean.buffer, { transfer: [runningMean.buffer] });
      for (const norm of [new LayerNorm(2), new GroupNorm(1, 2)]) {
        structuredClone(norm.gamma?.buffer, { transfer: norm.gamma ? [norm.gamma.buffer] : [] });
        expectError(() => norm.toJSON(), TypeError, "gamma: expected an array in use");
      }
      for (const call of [() => layer.infer(x), () => layer.toJSON(), () => layer.fold()]) {
        expectError(call, TypeError, "runningMean: expected an array in use");
      }
    });

    test("fields cannot be replaced", () => {
      const layer = new BatchNorm(2);
      expectError(() => Object.assign(layer, { gamma: [1] }), TypeError, "gamma");
      expectError(() => Object.assign(layer, { epsilon: "1" }), TypeError, "epsilon");
    });
  });

  describe("Moments", () => {
    test("other features, other kinds", () => {
      const moments = new Moments(2).add(Float32Array.of(1, 2, 3, 4));
      const state = JSON.stringify(moments);
      expectError(
        () => moments.add(unchecked([1, 2])),
        TypeError,
        "x: expected rows or columns, each an array, got an array of numbers (for one sample write [[…]])",
      );
      expectError(
        () => moments.add(new Float32Array(3)),
        RangeError,
        "x: expected a length that is a multiple",
      );
      expectError(() => moments.merge(new Moments(3)), RangeError, "other: expected features = 2, got 3");
      expectError(() => moments.merge(unchecked({})), TypeError, "other: expected Moments, got an object");
      expectError(
        () => Moments.fromJSON(unchecked(null)),
        TypeError,
        "json: expected what toJSON returned, got null",
      );
      expectError(
        () => Moments.fromJSON({ ...moments.toJSON(), mean: [1] }),
        RangeError,
        "mean: expected an array of 2 numbers, got length 1",
      );
      expectError(
        () => Moments.fromJSON({ ...moments.toJSON(), count: -1 }),
        RangeError,
        "count: expected a non-negative integer, got -1",
      );
      expect(JSON.stringify(moments)).toBe(state);
    });
  });
});
