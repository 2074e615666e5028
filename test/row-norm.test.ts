// LayerNorm and RMSNorm as users call them: arrays and tensors in every mixture, staged and where they stand, on both
// backends. The kernels' own numbers are tested in node/rows.test.ts.

import { BatchNorm, LayerNorm, RMSNorm, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, normal, parameters } from "./data.js";
import { expectError } from "./expect-error.js";
import { layerHat, layerNorm, rmsNorm, rootHat, rowGradients, u, worst } from "./reference.js";

/** What both are, and how the reference calls them. */
const KINDS = {
  LayerNorm: { make: (features: number, options = {}) => new LayerNorm(features, options), centered: true },
  RMSNorm: { make: (features: number, options = {}) => new RMSNorm(features, options), centered: false },
} as const;
type Name = keyof typeof KINDS;
const NAMES: Name[] = ["LayerNorm", "RMSNorm"];

function layerOf(name: Name, features: number, epsilon = 1e-5) {
  const { gamma, beta } = parameters(features);
  const layer =
    name === "LayerNorm"
      ? new LayerNorm(features, { gamma, beta, epsilon })
      : new RMSNorm(features, { gamma, epsilon });
  return { layer, norm: { gamma, beta, epsilon } };
}

const rowsOf = (rows: number, features: number, kind = "N(0, 1)", seed = 1) =>
  make({ outer: 1, features: rows, inner: features }, kind, seed);

type Norm = ReturnType<typeof layerOf>["norm"];

/** y within 8·10⁻⁷ of a deviation, times gamma, and two roundings: derived in node/rows.test.ts. */
function expectNormalized(name: Name, y: Float32Array, x: Float32Array, features: number, norm: Norm) {
  const { centered } = KINDS[name];
  const rows = x.length / features;
  const exact = (centered ? layerNorm : rmsNorm)(x, rows, features, norm);
  const hat = (centered ? layerHat : rootHat)(x, rows, features, norm.epsilon);
  const { ratio, at } = worst(y, exact, (v, i) => {
    const largest = Math.max(1, Math.abs(hat[i]));
    return 8e-7 * Math.abs(norm.gamma[i % features]) * largest + 2 * u * Math.abs(v) + 2 ** -149;
  });
  expect(ratio, `${rows} × ${features}, at ${at}: ${y[at]} for ${exact[at]}`).toBeLessThan(1);
}

/** toEqual is slow on long arrays. */
function expectSame(found: Float32Array, expected: Float32Array) {
  expect(found.length).toBe(expected.length);
  expect(expected.findIndex((value, i) => !Object.is(value, found[i]))).toBe(-1);
}

/** Guards around an array's values, at an address `offset` values off. */
function guarded(values: Float32Array, offset: number) {
  const all = new Float32Array(values.length + 32).fill(12345);
  const view = all.subarray(8 + offset, 8 + offset + values.length);
  view.set(values);
  return {
    view,
    check: () => {
      const outside = [all.subarray(0, 8 + offset), all.subarray(8 + offset + values.length)];
      expect(outside.every((part) => part.every((value) => value === 12345))).toBe(true);
    },
  };
}

// One value more and less than what small calls have (128), and than what is staged at once (49,152), rows of every
// remainder, more than one chunk of rows, rows as long as a chunk, and rows too long for the window.
const SIZES = [
  [1, 1],
  [5, 1],
  [1, 127],
  [1, 128],
  [1, 129],
  [43, 3],
  [7, 384],
  [128, 384],
  [129, 384],
  [400, 384],
  [3, 24_577],
  [1, 49_151],
  [2, 49_153],
  [2, 65_536],
  [2, 65_537],
] as const;

const GRID = [...Array(17).keys()].map((i) => i + 1).concat(31, 33, 64, 384, 768, 1024, 4096, 5000);

onBothBackends(() => {
  describe.each(NAMES)("%s", (name) => {
    test.each(SIZES)(
      "%i rows of %i features: arrays, tensors and mixtures agree bit for bit",
      (rows, features) => {
        const { layer, norm } = layerOf(name, features);
        const x = rowsOf(rows, features);
        const skip = rowsOf(rows, features, "N(0, 1)", 2);
        const sums = x.map((value, i) => value + skip[i]);
        const y = layer.apply(x);
        expectNormalized(name, y, x, features, norm);
        const skipped = layer.apply(x, { skip });
        expectNormalized(name, skipped, sums, features, norm);

        for (const mixture of [0, 1, 2, 5, 10, 12, 15]) {
          const as = (bit: number, values: Float32Array) =>
            mixture & (1 << bit) ? new Tensor([rows, features], values) : values.slice();
          const valuesOf = (values: Float32Array | Tensor) =>
            values instanceof Tensor ? values.data : values;
          const given = as(0, x);
          const added = as(1, skip);
          const sum = as(2, x);
          const out = given instanceof Tensor ? new Tensor([rows, features]) : new Float32Array(x.length);
          const call: unknown =
            given instanceof Tensor && out instanceof Tensor
              ? layer.apply(given, { skip: added, sum, out })
              : layer.apply(valuesOf(given), { skip: added, sum, out: valuesOf(out) });
          expect(call).toBe(out);
          expectSame(valuesOf(out), skipped);
          expectSame(valuesOf(sum), sums);
          expectSame(valuesOf(given), x);
          expectSame(valuesOf(added), skip);
          for (const values of [given, added, sum, out]) if (values instanceof Tensor) values.dispose();
        }
      },
    );

    // Every loop's boundaries at once: all remainders, one row and several blocks of them.
    test.each(GRID)("rows of %i features, 1 to 512 of them, against the formula", (features) => {
      const { layer, norm } = layerOf(name, features);
      for (const rows of [1, 2, 3, 4, 5, 6, 7, 8, 9, 197, 512]) {
        const x = rowsOf(rows, features, "N(0, 1)", rows);
        expectNormalized(name, layer.apply(x), x, features, norm);
      }
    });

    // Sums begin with the two ends of a row.
    test("rows whose ends are far from all that is between them", () => {
      const [rows, features] = [5, 16_384];
      const { layer, norm } = layerOf(name, features);
      const x = rowsOf(rows, features);
      for (let row = 0; row < rows; row++) {
        x.fill(3000, row * features, row * features + 8);
        x.fill(3000, (row + 1) * features - 8, (row + 1) * features);
      }
      expectNormalized(name, layer.apply(x), x, features, norm);
    });

    test.each([0, 1, 2, 3])("views %i values off, in place and apart, with guards around them", (offset) => {
      const [rows, features] = [130, 385];
      const { layer } = layerOf(name, features);
      const values = rowsOf(rows, features);
      const added = rowsOf(rows, features, "N(0, 1)", 2);
      const expected = layer.apply(values);
      const skipped = layer.apply(values, { skip: added });
      const sums = values.map((value, i) => value + added[i]);
      const places = () => [values, added, new Float32Array(values.length)].map((v) => guarded(v, offset));
      {
        const [x] = places();
        expectSame(layer.apply(x.view, { out: x.view }), expected);
        x.check();
      }
      for (const [outAt, sumAt] of [
        [0, 1],
        [1, 0],
        [0, 2],
        [2, 0],
        [2, 1],
        [1, 2],
      ]) {
        const all = places();
        const [x, skip] = all;
        const out = all[outAt].view;
        const sum = all[sumAt].view;
        expectSame(layer.apply(x.view, { skip: skip.view, out, sum }), skipped);
        expectSame(sum, sums);
        for (const place of all) place.check();
      }
    });

    test.each(SIZES)("%i rows of %i features: gradients of the formula", (rows, features) => {
      const { layer, norm } = layerOf(name, features);
      const x = rowsOf(rows, features);
      const dy = rowsOf(rows, features, "N(0, 1)", 3);
      const exact = rowGradients(x, dy, rows, features, norm, KINDS[name].centered);
      const found = layer.backward(x, dy);
      // Each term of dx, u·s, s·mean(u) and s·x̂·mean(u·x̂), is within 8·10⁻⁷ of its size; means of N(0, 1) products
      // are at most their root mean square, so that all of them are below s·|gamma|·(|dy| + 1 + |x̂|)·3.
      const dx = worst(found.dx, exact.dx, (_, i) => {
        const row = Math.floor(i / features);
        const size = Math.abs(dy[i] * norm.gamma[i % features]) + 3 + 3 * Math.abs(exact.hat[i]);
        return 8e-7 * exact.scale[row] * size + 2 ** -149;
      });
      expect(dx.ratio, `dx at ${dx.at}: ${found.dx[dx.at]} for ${exact.dx[dx.at]}`).toBeLessThan(1);
      // Sums over rows are of their terms' sizes; staged rows are summed chunk by chunk, and so differ in the last bits.
      const sizes = new Float64Array(features);
      for (const [i, slope] of dy.entries()) {
        sizes[i % features] += Math.abs(slope) * Math.max(1, Math.abs(exact.hat[i]));
      }
      const expectSums = (values: Float32Array | null, expected: Float64Array) => {
        const bound = (v: number, j: number) => 8e-7 * sizes[j] + 2 * u * Math.abs(v);
        expect(worst(values ?? [], expected, bound).ratio).toBeLessThan(1);
      };
      expectSums(found.dGamma, exact.dGamma);
      if (layer instanceof LayerNorm) expectSums(layer.backward(x, dy).dBeta, exact.dBeta);
      else expect(found).not.toHaveProperty("dBeta");

      for (const [a, b] of [
        [true, true],
        [true, false],
        [false, true],
      ]) {
        const given = a ? new Tensor([rows, features], x) : x.slice();
        const slope = b ? new Tensor([rows, features], dy) : dy.slice();
        const { dx, dGamma } = layer.backward(given, slope);
        expectSame(dx instanceof Tensor ? dx.data : dx, found.dx);
        expectSums(dGamma, exact.dGamma);
        expectSame(layer.backward(x.slice(), slope, { out: x.slice() }).dx, found.dx);
        for (const values of [given, slope, dx]) if (values instanceof Tensor) values.dispose();
      }
      const over = dy.slice();
      expectSame(layer.backward(x, over, { out: over }).dx, found.dx);
      const inPlace = x.slice();
      expectSame(layer.backward(inPlace, dy, { out: inPlace }).dx, found.dx);
    });

    test("without gamma it is as with ones, and has no gradient of it", () => {
      const x = rowsOf(40, 33);
      const bare = KINDS[name].make(33, { gamma: null });
      expectSame(bare.apply(x), KINDS[name].make(33).apply(x));
      expect(bare.gamma).toBeNull();
      expect(bare.backward(x, x).dGamma).toBeNull();
    });

    test("gamma is read at each call, and is the layer's own", () => {
      const gamma = new Float32Array(20).fill(1);
      const layer = KINDS[name].make(20, { gamma, epsilon: 0 });
      gamma.fill(9);
      const x = rowsOf(30, 20);
      const before = layer.apply(x);
      layer.gamma?.fill(2);
      expectSame(
        layer.apply(x),
        before.map((value) => 2 * value),
      );
      if (layer.gamma) structuredClone(layer.gamma, { transfer: [layer.gamma.buffer] });
      expectError(() => layer.apply(x), TypeError, "gamma: expected an array in use");
    });

    test("NaN and infinity stay in their row", () => {
      for (const features of [5, 64, 385]) {
        const layer = KINDS[name].make(features);
        const x = rowsOf(9, features);
        const expected = layer.apply(x);
        for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const spoiled = x.slice();
          spoiled[4 * features + 2] = odd;
          const y = layer.apply(spoiled);
          const others = (values: Float32Array) => values.filter((_, i) => Math.floor(i / features) !== 4);
          expectSame(others(y), others(expected));
          expect(y[4 * features + 2]).toBeNaN();
        }
      }
    });

    test("the last axes of a tensor together are the features", () => {
      const { layer } = layerOf(name, 12);
      const x = rowsOf(20, 12);
      for (const shape of [
        [240 / 12, 12],
        [4, 5, 12],
        [20, 3, 4],
        [20, 1, 12],
        [5, 4, 2, 3, 2],
        [20, 12, 1],
      ]) {
        using t = new Tensor(shape, x);
        using y = layer.apply(t);
        expect(y.shape).toEqual(shape);
        expectSame(y.data, layer.apply(x));
      }
    });

    test("no rows are no rows", () => {
      const layer = KINDS[name].make(4);
      expect(layer.apply(new Float32Array())).toEqual(new Float32Array());
      using t = new Tensor([0, 4]);
      using y = layer.apply(t);
      expect(y.shape).toEqual([0, 4]);
      expect(layer.backward(new Float32Array(), new Float32Array()).dGamma).toEqual(new Float32Array(4));
    });

    test("what does not fit is refused before anything is written", () => {
      const layer = KINDS[name].make(4);
      const x = new Float32Array(40).fill(7);
      const out = new Float32Array(40).fill(5);
      using t = new Tensor([10, 4], x);
      using odd = new Tensor([4, 10], x);
      const gone = new Tensor([10, 4]);
      gone.dispose();
      const short = new Float32Array(36);
      const cases: [() => unknown, typeof TypeError | typeof RangeError | typeof ReferenceError, string][] = [
        [
          () => layer.apply(x.subarray(1)),
          RangeError,
          "x: expected a length that is a multiple of features = 4, got 39",
        ],
        [
          () => layer.apply(odd),
          RangeError,
          "x: expected a tensor whose last axes have features = 4 values, got [4, 10]",
        ],
        [() => layer.apply(gone), ReferenceError, "x: expected a tensor in use"],
        [() => layer.apply(x, { out: short }), RangeError, "out: expected x's length 40, got 36"],
        [() => layer.apply(x, { skip: short, out }), RangeError, "skip: expected x's length 40, got 36"],
        [
          () => layer.apply(x, { skip: x, sum: short, out }),
          RangeError,
          "sum: expected x's length 40, got 36",
        ],
        [
          () => layer.apply(x, { sum: out }),
          TypeError,
          "skip: expected what is added to x, because sum is given",
        ],
        [() => layer.apply(x, { skip: x, sum: out, out }), RangeError, "sum: expected memory apart from out"],
        [
          () => layer.apply(t, { skip: x, sum: t.data, out: t }),
          RangeError,
          "sum: expected memory apart from out",
        ],
        [() => layer.backward(x, short, { out }), RangeError, "dy: expected x's length 40, got 36"],
        [() => layer.backward(x, x, { out: short }), RangeError, "out: expected x's length 40, got 36"],
        [
          // @ts-expect-error: an unknown option
          () => layer.apply(x, { residual: x, out }),
          TypeError,
          "options.residual: unknown, expected out, skip, sum",
        ],
        [
          // @ts-expect-error: other data
          () => layer.apply(new Float64Array(4)),
          TypeError,
          "x: expected a Float32Array or a Tensor, got a Float64Array",
        ],
      ];
      for (const [call, kind, message] of cases) expectError(call, kind, message);
      const shared = new Float32Array(48).fill(7);
      const [a, b] = [shared.subarray(0, 40), shared.subarray(4, 44)];
      expectError(
        () => layer.apply(a, { out: b }),
        RangeError,
        "out: expected x itself or memory apart from it",
      );
      expectError(
        () => layer.apply(x, { skip: a, out: b }),
        RangeError,
        "out: expected skip itself or memory",
      );
      expectError(
        () => layer.apply(x, { skip: a, sum: b }),
        RangeError,
        "sum: expected skip itself or memory",
      );
      expectError(() => layer.backward(x, a, { out: b }), RangeError, "out: expected dy itself or memory");
      expect([...x, ...t.data, ...shared].every((value) => value === 7)).toBe(true);
      expect(out.every((value) => value === 5)).toBe(true);
    });
  });

  test("at mean 10⁶ a row is within 10⁻⁶ of a deviation, and constant rows are beta", () => {
    for (const features of [2, 33, 64, 384, 4096]) {
      const layer = new LayerNorm(features, { epsilon: 0 });
      const x = rowsOf(9, features, "mean 1e6, std 1");
      const exact = layerHat(x, 9, features, 0);
      const { ratio } = worst(layer.apply(x), exact, (v) => 1e-6 * Math.max(1, Math.abs(v)));
      expect(ratio, `${features} features`).toBeLessThan(1);
      const { beta } = parameters(features);
      const shifted = new LayerNorm(features, { beta });
      const constant = Float32Array.from({ length: 5 * features }, (_, i) => 1e6 + Math.floor(i / features));
      expectSame(
        shifted.apply(constant),
        Float32Array.from(constant, (_, i) => beta[i % features]),
      );
    }
  });

  test("one feature is beta, and a root mean square of 0 is 0", () => {
    const x = Float32Array.of(3, -7, 0, 1e30);
    expect(new LayerNorm(1, { beta: [0.5] }).apply(x)).toEqual(new Float32Array(4).fill(0.5));
    expect(new RMSNorm(2).apply(new Float32Array(4))).toEqual(new Float32Array(4));
  });
});

describe("what layers are made of", () => {
  const draw = normal(5);
  const weight = Float32Array.from({ length: 6 }, draw);
  const bias = Float32Array.from({ length: 6 }, draw);

  test("saved and read, exactly", () => {
    const layer = new LayerNorm(6, { gamma: weight, beta: null, epsilon: 1e-12 });
    const copy = LayerNorm.fromJSON(JSON.parse(JSON.stringify(layer)));
    expect(copy.toJSON()).toEqual({ features: 6, epsilon: 1e-12, gamma: Array.from(weight), beta: null });
    const root = new RMSNorm(6, { gamma: weight });
    expect(RMSNorm.fromJSON(JSON.parse(JSON.stringify(root))).toJSON()).toEqual({
      features: 6,
      epsilon: 1e-5,
      gamma: Array.from(weight),
    });
    expectError(
      () => LayerNorm.fromJSON(JSON.parse('{"epsilon":1}')),
      TypeError,
      "features: expected a positive integer",
    );
  });

  test("PyTorch's", () => {
    const stateDict = {
      "encoder.dense.weight": { data: new Float32Array(36), shape: [6, 6] },
      "encoder.norm.weight": { data: weight, shape: [6] },
      "encoder.norm.bias": { data: bias, shape: [6] },
      "final.weight": weight,
    };
    const layer = LayerNorm.fromPyTorch(stateDict, { prefix: "encoder.norm", epsilon: 1e-12 });
    expect([layer.gamma, layer.beta, layer.epsilon]).toEqual([weight, bias, 1e-12]);
    const bare = LayerNorm.fromPyTorch(stateDict, { prefix: "final" });
    expect([bare.gamma, bare.beta, bare.epsilon]).toEqual([weight, null, 1e-5]);
    const root = RMSNorm.fromPyTorch(new Map(Object.entries(stateDict)), { prefix: "final." });
    expect([root.gamma, root.epsilon]).toEqual([weight, 2 ** -23]);
    expectError(
      () => RMSNorm.fromPyTorch(stateDict, { prefix: "encoder.norm" }),
      TypeError,
      "stateDict: expected no bias",
    );
    expectError(
      () => LayerNorm.fromPyTorch(stateDict, { prefix: "norm" }),
      RangeError,
      'prefix: expected one of "encoder.dense", "encoder.norm", "final", got "norm"',
    );
  });

  test("a norm of several axes is one of their product", () => {
    const layer = LayerNorm.fromPyTorch({ weight: { data: weight, shape: [2, 3] }, bias });
    expect(layer.features).toBe(6);
    // As JSON has it.
    const lists = {
      weight: [[Array.from(weight.subarray(0, 3)), Array.from(weight.subarray(3))]],
      bias: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    };
    const read = LayerNorm.fromPyTorch(JSON.parse(JSON.stringify(lists)));
    expect([read.gamma, read.beta]).toEqual([weight, Float32Array.of(1, 2, 3, 4, 5, 6)]);
    for (const odd of ["[[1,2],[3]]", "[[1,2],3]", "[[1,2],[[3],[4]]]", "[1,[2]]"]) {
      expectError(
        () => LayerNorm.fromPyTorch({ weight: JSON.parse(odd) }),
        TypeError,
        ": expected a number, got",
      );
    }
    const hole = new Array<number>(2);
    hole[0] = 1;
    expectError(
      () => RMSNorm.fromPyTorch({ weight: [hole, [1, 2]] }),
      TypeError,
      "[1]: expected a number, got",
    );
    expectError(
      () => BatchNorm.fromPyTorch({ running_mean: [[1, 2]], running_var: [[1, 2]] }),
      TypeError,
      "expected a number, got [1, 2]",
    );
  });

  test.each([
    [() => new LayerNorm(0), RangeError, "features: expected a positive integer, got 0"],
    [() => new RMSNorm(2.5), RangeError, "features: expected a positive integer, got 2.5"],
    [() => new LayerNorm(2, { gamma: [1] }), RangeError, "gamma: expected an array of features = 2 numbers"],
    [() => new LayerNorm(2, { epsilon: -1 }), RangeError, "epsilon: expected a non-negative number, got -1"],
    // @ts-expect-error: an RMS norm has no beta
    [() => new RMSNorm(2, { beta: [1, 2] }), TypeError, "options.beta: unknown"],
    // @ts-expect-error: a norm of rows has no axis
    [() => new LayerNorm(2, { axis: 1 }), TypeError, "options.axis: unknown"],
  ] as const)("%s is refused", (call, kind, message) => {
    expectError(call, kind, message);
  });
});
