// Group and instance normalization against the formula in float64, over every loop boundary, layout and kind of output.

import { GroupNorm, InstanceNorm, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { kinds, normal, parameters } from "./data.js";
import { expectError } from "./expect-error.js";
import { eachOfGroups, type GroupSizes, groupGradients, groupHat, u, worst } from "./reference.js";

const FEATURES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 32, 33, 64];
const INNER = [1, 7, 49, 452, 513, 3136];

/** Channels first, channels last, and a feature axis between others, with 1, 2, 3 and all groups. */
function casesOf(features: number): GroupSizes[] {
  const cases: GroupSizes[] = [];
  for (const groups of new Set([1, 2, 3, features])) {
    if (features % groups !== 0) continue;
    for (const [i, plane] of INNER.entries()) {
      const images = Math.min(1 + ((i + groups) % 5), Math.max(1, Math.floor(40_000 / (features * plane))));
      cases.push({ images, rows: 1, features, inner: plane, groups });
      cases.push({ images, rows: plane, features, inner: 1, groups });
      if (plane < 100) cases.push({ images, rows: 3, features, inner: plane, groups });
    }
  }
  return cases;
}

/** `spread` moves the mean of every feature. */
function make(sizes: GroupSizes, kind = "N(0, 1)", spread = 0, seed = 1): Float32Array {
  const { images, rows, features, inner } = sizes;
  const x = new Float32Array(images * rows * features * inner);
  const draw = normal(seed);
  const centers = Float64Array.from({ length: features }, () => spread * draw());
  const seen = new Uint32Array(images * sizes.groups);
  eachOfGroups(sizes, (i, j, group) => {
    x[i] = centers[j] + kinds[kind](seen[group]++, draw(), group);
  });
  return x;
}

const shapeOf = ({ images, rows, features, inner }: GroupSizes) => [images, rows, features, inner];

/** The layer as a user would make it for [images, rows, features, inner]. */
function layerOf(sizes: GroupSizes) {
  const { features, groups } = sizes;
  const { gamma, beta } = parameters(features);
  const options = { axis: 2, gamma, beta };
  return groups === features ? new InstanceNorm(features, options) : new GroupNorm(groups, features, options);
}

/**
 * x̂ is within 10⁻⁶·max(1, |x̂|), which gamma scales; the rounding of beta, of the product and of the sum cost at most
 * u each of the largest of the terms, and so does that of a residual.
 */
function expectApplied(
  y: ArrayLike<number>,
  hat: Float64Array,
  sizes: GroupSizes,
  what: string,
  added?: Float32Array,
) {
  const { gamma, beta } = parameters(sizes.features);
  const exact = new Float64Array(hat.length);
  const bounds = new Float64Array(hat.length);
  eachOfGroups(sizes, (i, j) => {
    const value = hat[i] * gamma[j] + beta[j];
    const sum = value + (added?.[i] ?? 0);
    exact[i] = added === undefined ? sum : Math.max(sum, 0);
    const largest = Math.max(Math.abs(value), Math.abs(beta[j]), Math.abs(sum));
    bounds[i] = 1e-6 * Math.abs(gamma[j]) * Math.max(1, Math.abs(hat[i])) + 4 * u * largest;
  });
  const { ratio, at } = worst(y, exact, (_, i) => bounds[i]);
  expect(ratio, `${what} of ${JSON.stringify(sizes)} at ${at}`).toBeLessThanOrEqual(1);
}

interface Found {
  dx: Float32Array;
  dGamma: Float32Array | null;
  dBeta: Float32Array | null;
}

/**
 * As for batch normalization (backward.test.ts): f32 sums are within 40u of the sum of magnitudes, x̂ within 10⁻⁶ ≈ 16u,
 * dx has three terms, each with the error of its factors and five roundings.
 */
function expectGradients(
  found: readonly Found[],
  exact: ReturnType<typeof groupGradients>,
  dy: Float32Array,
  sizes: GroupSizes,
) {
  const { images, rows, features, inner, groups } = sizes;
  const n = (rows * features * inner) / groups;
  const { gamma } = parameters(features);
  const ofBeta = new Float64Array(features);
  const ofGamma = new Float64Array(features);
  const ofMean = new Float64Array(images * groups);
  const ofMeanHat = new Float64Array(images * groups);
  eachOfGroups(sizes, (i, j, group) => {
    const size = Math.abs(dy[i]);
    const reach = Math.abs(exact.hat[i]) + 1;
    ofBeta[j] += 40 * u * size;
    ofGamma[j] += 40 * u * size * reach;
    ofMean[group] += (56 * u * size * Math.abs(gamma[j])) / n;
    ofMeanHat[group] += (56 * u * size * Math.abs(gamma[j]) * reach) / n;
  });
  const ofX = new Float64Array(dy.length);
  eachOfGroups(sizes, (i, j, group) => {
    const reach = Math.abs(exact.hat[i]) + 1;
    const own = 16 * u * Math.abs(dy[i] * gamma[j]);
    ofX[i] = exact.scale[group] * (own + ofMean[group] + reach * ofMeanHat[group]);
  });
  for (const { dx, dGamma, dBeta } of found) {
    for (const [name, values, expected, bound] of [
      ["dx", dx, exact.dx, ofX],
      ["dGamma", dGamma ?? [], exact.dGamma, ofGamma],
      ["dBeta", dBeta ?? [], exact.dBeta, ofBeta],
    ] as const) {
      const { ratio, at } = worst(values, expected, (v, i) => bound[i] + u * Math.abs(v) + 2 ** -149);
      expect(ratio, `${name} of ${JSON.stringify(sizes)} at ${at}`).toBeLessThanOrEqual(1);
    }
  }
}

function check(sizes: GroupSizes, x = make(sizes)): void {
  const shape = shapeOf(sizes);
  const layer = layerOf(sizes);
  const dy = make(sizes, "N(0, 1)", 0, 2);
  const exact = groupGradients(x, dy, sizes, parameters(sizes.features).gamma);
  expectApplied(layer.apply(x, { shape }), exact.hat, sizes, "a new array");
  // Between guards, and in place.
  const guarded = new Float32Array(x.length + 8).fill(7);
  guarded.set(x, 4);
  const inside = guarded.subarray(4, 4 + x.length);
  expect(layer.apply(inside, { shape, out: inside })).toBe(inside);
  expectApplied(inside, exact.hat, sizes, "in place");
  expect([...guarded.subarray(0, 4), ...guarded.subarray(-4)]).toEqual(new Array(8).fill(7));
  using resident = new Tensor(shape, x);
  using out = new Tensor(shape);
  layer.apply(resident, { out, residual: dy, activation: "relu" });
  expectApplied(out.data, exact.hat, sizes, "a tensor with a residual", dy);
  const array = layer.backward(x, dy, { shape });
  using upstream = new Tensor(shape, dy);
  const { dx, ...rest } = layer.backward(resident, upstream, { out: upstream });
  expect(dx).toBe(upstream);
  expectGradients([array, { dx: dx.data, ...rest }], exact, dy, sizes);
}

describe("the reference", () => {
  test("agrees with finite differences of Σ dy·y, in float64", () => {
    const sizes = { images: 2, rows: 2, features: 4, inner: 3, groups: 2 };
    const { gamma, beta } = parameters(4);
    const [x, dy] = [1, 2].map((seed) => Float64Array.from(make(sizes, "N(0, 1)", 0, seed)));
    const exact = groupGradients(x, dy, sizes, gamma);
    const loss = (at: { x?: Float64Array; gamma?: Float64Array; beta?: Float64Array }) => {
      const { hat } = groupHat(at.x ?? x, sizes);
      let sum = 0;
      eachOfGroups(sizes, (i, j) => {
        sum += dy[i] * (hat[i] * (at.gamma ?? gamma)[j] + (at.beta ?? beta)[j]);
      });
      return sum;
    };
    const step = 1e-5;
    // Central differences: the truncation is of order step² = 1e-10, the cancellation 1e-16/step = 1e-11.
    for (const [key, from, slopes] of [
      ["x", x, exact.dx],
      ["gamma", gamma, exact.dGamma],
      ["beta", beta, exact.dBeta],
    ] as const) {
      for (let i = 0; i < from.length; i++) {
        const [high, low] = [step, -step].map((d) => {
          const moved = Float64Array.from(from);
          moved[i] += d;
          return loss({ [key]: moved });
        });
        expect(Math.abs((high - low) / (2 * step) - slopes[i])).toBeLessThan(1e-8);
      }
    }
  });
});

onBothBackends(() => {
  describe("the formula and its gradients", () => {
    test.each(FEATURES)("%i features", (features) => {
      for (const sizes of casesOf(features)) check(sizes);
    });

    test.each<[string, GroupSizes]>([
      ["more features than are folded at once", { images: 3, rows: 1, features: 2000, inner: 2, groups: 40 }],
      ["the same, of one image", { images: 1, rows: 1, features: 5000, inner: 3, groups: 1250 }],
      ["a group of them", { images: 2, rows: 1, features: 4100, inner: 2, groups: 1 }],
      ["the same, last", { images: 2, rows: 3, features: 4104, inner: 1, groups: 8 }],
      ["images in parts of groups", { images: 2, rows: 1, features: 15, inner: 80_000, groups: 5 }],
      ["groups beyond a part", { images: 1, rows: 1, features: 2, inner: 600_000, groups: 2 }],
      ["an image beyond the window, last", { images: 1, rows: 150_000, features: 8, inner: 1, groups: 2 }],
      ["groups as wide as rows", { images: 2, rows: 64, features: 1024, inner: 1, groups: 1 }],
      ["rows of features: a table", { images: 700, rows: 1, features: 12, inner: 1, groups: 3 }],
    ])("%s", (_, sizes) => check(sizes));

    test.each(["mean 1e4, std 1", "mean 1e6, std 1", "heavy tails", "sorted", "two values in turn"])(
      "data: %s",
      (kind) => {
        for (const [rows, inner] of [
          [1, 90],
          [1, 3000],
          [90, 1],
          [3000, 1],
          [20, 9],
        ]) {
          const sizes = { images: 2, rows, features: 12, inner, groups: 3 };
          check(sizes, make(sizes, kind));
        }
      },
    );

    test.each([10, 1e3, 1e6])(
      "features of a group whose means are %d standard deviations apart",
      (spread) => {
        for (const [rows, inner] of [
          [1, 49],
          [1, 3136],
          [49, 1],
          [3136, 1],
          [7, 7],
        ]) {
          for (const groups of [1, 4]) {
            const sizes = { images: 2, rows, features: 16, inner, groups };
            check(sizes, make(sizes, "N(0, 1)", spread));
          }
        }
      },
    );

    test.each(["both ends of float32", "huge, 1e30", "tiny, 1e-30"])("data: %s", (kind) => {
      for (const rows of [1, 40]) {
        const sizes = { images: 2, rows, features: 6, inner: 40 / rows, groups: 2 };
        check(sizes, make(sizes, kind));
      }
    });
  });

  /** Channels first and last, and both at once. */
  const LAYOUTS: [string, GroupSizes][] = [
    ["channels first", { images: 2, rows: 1, features: 6, inner: 70, groups: 3 }],
    ["channels last", { images: 2, rows: 70, features: 6, inner: 1, groups: 3 }],
    ["channels between", { images: 2, rows: 10, features: 6, inner: 7, groups: 3 }],
  ];

  describe.each(LAYOUTS)("%s", (_, sizes) => {
    const shape = shapeOf(sizes);
    const layer = layerOf(sizes);
    const { beta } = parameters(sizes.features);

    test("a constant group gives beta", () => {
      for (const constant of [0, 1.1, -1e6, 16777217, 3e-39]) {
        const x = make(sizes);
        eachOfGroups(sizes, (i, _, group) => {
          if (group === 1) x[i] = constant;
        });
        const y = layer.apply(x, { shape });
        expectApplied(y, groupHat(x, sizes).hat, sizes, "the other groups");
        eachOfGroups(sizes, (i, j, group) => {
          if (group === 1) expect(y[i]).toBe(beta[j]);
        });
      }
    });

    test("NaN and infinity stay in their group", () => {
      const x = make(sizes);
      const clean = layer.apply(x, { shape });
      for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const spoilt = x.slice();
        let at = 0;
        eachOfGroups(sizes, (i, _, group) => {
          if (group === 4) at = i;
        });
        spoilt[at] = odd;
        const y = layer.apply(spoilt, { shape });
        const { dx } = layer.backward(spoilt, x, { shape });
        eachOfGroups(sizes, (i, _, group) => {
          // Beside an infinity all are reduced, or mapped, by other loops.
          if (group === 4) expect([y[i], dx[i]]).toEqual([Number.NaN, Number.NaN]);
          else {
            expect(Math.abs(y[i] - clean[i])).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(clean[i])));
            expect(dx[i]).not.toBeNaN();
          }
        });
      }
    });

    test("views at every offset give the same bits", () => {
      const x = make(sizes);
      const expected = layer.apply(x, { shape });
      const { dx, dGamma } = layer.backward(x, expected, { shape });
      using room = new Tensor([x.length + 8]);
      for (const memory of [new Float32Array(x.length + 8), room.data]) {
        for (let offset = 0; offset < 8; offset++) {
          const view = memory.subarray(offset, offset + x.length);
          view.set(x);
          expect(layer.apply(view, { shape })).toEqual(expected);
          expect(layer.backward(view, expected, { shape, out: view })).toMatchObject({ dx, dGamma });
          view.set(x);
          expect(layer.apply(view, { shape, out: view })).toEqual(expected);
        }
      }
    });

    test("x and dy stay as they were", () => {
      const [x, dy] = [make(sizes), make(sizes, "N(0, 1)", 0, 2)];
      layer.apply(x, { shape, residual: dy });
      layer.backward(x, dy, { shape });
      expect([x, dy]).toEqual([make(sizes), make(sizes, "N(0, 1)", 0, 2)]);
    });

    test("relu6, and a residual that is x", () => {
      const x = make(sizes);
      const plain = layer.apply(x, { shape });
      const y = layer.apply(x, { shape, residual: x, activation: "relu6" });
      const { ratio } = worst(
        y,
        plain.map((v, i) => Math.min(Math.max(v + x[i], 0), 6)),
        (_, i) => 2 * u * (Math.abs(plain[i]) + Math.abs(x[i])),
      );
      expect(ratio).toBeLessThanOrEqual(1);
    });
  });

  test("groups of one value give beta, and no slope", () => {
    const x = Float32Array.of(1, -2, 3e30, 0, 5, 1e-40);
    const beta = [1, 2, 3];
    for (const shape of [
      [2, 3],
      [2, 3, 1],
      [2, 1, 3],
    ]) {
      const layer = new InstanceNorm(3, { axis: shape.indexOf(3), beta });
      expect([...layer.apply(x, { shape })]).toEqual([...beta, ...beta]);
      expect([...layer.backward(x, x, { shape }).dx].map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
    }
  });

  test("gamma or beta absent: no gradient for it, and the same as ones and zeros", () => {
    const x = make({ images: 2, rows: 1, features: 4, inner: 50, groups: 2 });
    const shape = [2, 4, 50];
    const bare = new GroupNorm(2, 4, { axis: 1, gamma: null, beta: null });
    const full = new GroupNorm(2, 4, { axis: 1 });
    expect(bare.apply(x, { shape })).toEqual(full.apply(x, { shape }));
    const { dx, dGamma, dBeta } = bare.backward(x, x, { shape });
    expect([dGamma, dBeta]).toEqual([null, null]);
    expect(dx).toEqual(full.backward(x, x, { shape }).dx);
  });

  test("gamma and beta may be changed in place", () => {
    const x = make({ images: 1, rows: 1, features: 4, inner: 50, groups: 2 });
    const shape = [1, 4, 50];
    const layer = new GroupNorm(2, 4, { axis: 1 });
    layer.apply(x, { shape });
    layer.gamma?.fill(3);
    layer.beta?.fill(-1);
    const expected = new GroupNorm(2, 4, { axis: 1, gamma: [3, 3, 3, 3], beta: [-1, -1, -1, -1] });
    expect(layer.apply(x, { shape })).toEqual(expected.apply(x, { shape }));
    const gamma = layer.gamma ?? new Float32Array();
    structuredClone(gamma, { transfer: [gamma.buffer] });
    expectError(() => layer.apply(x, { shape }), TypeError, "gamma: expected an array in use");
  });

  test("a negative axis, no image, and no value", () => {
    const x = make({ images: 2, rows: 1, features: 4, inner: 50, groups: 2 });
    const shape = [2, 4, 50];
    const expected = new GroupNorm(2, 4, { axis: 1 }).apply(x, { shape });
    expect(new GroupNorm(2, 4, { axis: -2 }).apply(x, { shape })).toEqual(expected);
    for (const empty of [
      [0, 4, 50],
      [2, 4, 0],
      [2, 0, 4, 3],
    ]) {
      const layer = new GroupNorm(2, 4, { axis: empty.indexOf(4) });
      expect(layer.apply(new Float32Array(), { shape: empty })).toEqual(new Float32Array());
      const { dGamma } = layer.backward(new Float32Array(), new Float32Array(), { shape: empty });
      expect(dGamma).toEqual(new Float32Array(4));
    }
  });
});

test("what does not fit is refused, and nothing is written", () => {
  const x = make({ images: 2, rows: 1, features: 4, inner: 3, groups: 2 });
  const shape = [2, 4, 3];
  const layer = new GroupNorm(2, 4, { axis: 1 });
  const last = new InstanceNorm(4);
  const out = new Float32Array(24);
  expectError(() => new GroupNorm(3, 4), RangeError, "groups: expected a divisor of features = 4, got 3");
  expectError(() => new GroupNorm(0, 4), RangeError, "groups: expected a positive integer, got 0");
  expectError(() => new InstanceNorm(0), RangeError, "features: expected a positive integer, got 0");
  expectError(() => new GroupNorm(2, 4, { axis: 0 }), RangeError, "axis: expected an axis after the first");
  expectError(() => new GroupNorm(2, 4, { epsilon: -1 }), RangeError, "epsilon: expected a non-negative");
  expectError(
    () => new GroupNorm(2, 4, { gamma: [1] }),
    RangeError,
    "gamma: expected an array of features = 4",
  );
  expectError(() => Reflect.construct(GroupNorm, [2, { axis: 1 }]), TypeError, "features: expected");
  expectError(() => Reflect.construct(InstanceNorm, [4, { eps: 1 }]), TypeError, "did you mean epsilon?");
  expectError(
    () => last.apply(x, { out }),
    TypeError,
    "shape: expected the sizes of x, the first that of the batch",
  );
  expectError(() => layer.apply(x, { out }), TypeError, "shape: expected the sizes of x");
  expectError(() => last.apply(x, { out, shape: [4] }), RangeError, "shape: expected");
  expectError(
    () => new InstanceNorm(4, { axis: -2 }).apply(x, { out, shape: [4, 6] }),
    RangeError,
    "the batch",
  );
  expectError(
    () => layer.apply(x, { out, shape: [4, 2, 3] }),
    RangeError,
    "shape: expected 4 features on axis 1",
  );
  expectError(
    () => layer.backward(x, x.subarray(1), { shape, out }),
    RangeError,
    "dy: expected x's length 24",
  );
  expectError(
    () => Reflect.apply(layer.backward, layer, [x, x, { activation: "relu" }]),
    TypeError,
    "unknown",
  );
  expectError(
    () => Reflect.apply(layer.apply, layer, [[1, 2]]),
    TypeError,
    "x: expected a Float32Array or a Tensor",
  );
  expect(out).toEqual(new Float32Array(24));
});

describe("JSON", () => {
  test("a group norm comes back whole", () => {
    const { gamma } = parameters(4);
    const layer = new GroupNorm(2, 4, { axis: 1, epsilon: 1e-3, gamma, beta: null });
    const back = GroupNorm.fromJSON(JSON.parse(JSON.stringify(layer)));
    expect(back).toBeInstanceOf(GroupNorm);
    expect(back.toJSON()).toEqual(layer.toJSON());
    expect(back.toJSON()).toEqual({
      ...{ groups: 2, features: 4, axis: 1, epsilon: 1e-3 },
      ...{ gamma: Array.from(gamma), beta: null },
    });
  });

  test("an instance norm comes back whole", () => {
    const layer = new InstanceNorm(2, { axis: -1, gamma: [1, Number.NaN] });
    const back = InstanceNorm.fromJSON(JSON.parse(JSON.stringify(layer)));
    expect(back).toBeInstanceOf(InstanceNorm);
    expect(back.toJSON()).toEqual({
      ...{ features: 2, axis: -1, epsilon: 1e-5, gamma: [1, "NaN"], beta: [0, 0] },
      ...{ runningMean: null, runningVariance: null },
    });
  });

  test("what is missing is refused", () => {
    const { groups, ...rest } = new GroupNorm(2, 4).toJSON();
    expectError(() => Reflect.apply(GroupNorm.fromJSON, null, [rest]), TypeError, "groups: expected");
    expectError(() => GroupNorm.fromJSON({ ...rest, groups: 3 }), RangeError, "groups: expected a divisor");
    const saved = new InstanceNorm(4).toJSON();
    expectError(() => InstanceNorm.fromJSON({ ...saved, gamma: [1] }), RangeError, "gamma: expected");
    expect(groups).toBe(2);
  });
});

describe("PyTorch", () => {
  const stateDict = {
    "conv.weight": { shape: [4, 4, 1, 1], data: new Float32Array(16) },
    "norm.weight": { shape: [4], data: Float32Array.of(1, 2, 3, 4) },
    "norm.bias": { shape: [4], data: Float32Array.of(5, 6, 7, 8) },
    "tracked.weight": [1, 1],
    "tracked.running_mean": [0, 0],
    "tracked.running_var": [1, 1],
    "bare.running_mean": [0, 0],
  };

  test("a group norm of a state dict", () => {
    const layer = GroupNorm.fromPyTorch(stateDict, { groups: 2, prefix: "norm", epsilon: 1e-6 });
    expect(layer.toJSON()).toEqual({
      ...{ groups: 2, features: 4, axis: 1, epsilon: 1e-6 },
      ...{ gamma: [1, 2, 3, 4], beta: [5, 6, 7, 8] },
    });
    expect(GroupNorm.fromPyTorch({ weight: [1, 1] }, { groups: 1, axis: -1 }).toJSON()).toMatchObject({
      ...{ axis: -1, epsilon: 1e-5, beta: null },
    });
    // Among convolutions whose weights are lists in lists, as JSON has them.
    const model = { "conv.weight": [[[[1]], [[2]]]], "norm.weight": [1, 2] };
    expect(GroupNorm.fromPyTorch(model, { groups: 1, prefix: "norm" }).features).toBe(2);
    expectError(
      () => GroupNorm.fromPyTorch(model, { groups: 1, prefix: "conv" }),
      RangeError,
      'prefix: expected one of "norm", got "conv"',
    );
  });

  test("an instance norm of a state dict", () => {
    const layer = InstanceNorm.fromPyTorch(new Map(Object.entries(stateDict)), { prefix: "norm." });
    expect(layer).toBeInstanceOf(InstanceNorm);
    expect([...(layer.gamma ?? [])]).toEqual([1, 2, 3, 4]);
  });

  test("an instance norm that tracks statistics maps by them, as evaluation does", () => {
    const tracked = {
      "in.weight": [1, 2],
      "in.bias": [0.5, -1],
      "in.running_mean": [3, -4],
      "in.running_var": [4, 0.25],
      "in.num_batches_tracked": 7,
    };
    const layer = InstanceNorm.fromPyTorch(tracked, { prefix: "in", epsilon: 0 });
    const x = Float32Array.of(3, 5, 1, -4, -3.5, -5, 7, 3, 3, -4, -4, 0);
    const shape = [2, 2, 3];
    // (x − 3)/2 + 0.5 and (x + 4)·4 − 1.
    const y = Float32Array.of(0.5, 1.5, -0.5, -1, 1, -5, 2.5, 0.5, 0.5, -1, -1, 15);
    expect(layer.apply(x, { shape })).toEqual(y);
    const { dx, dGamma, dBeta } = layer.backward(
      x,
      x.map((_, i) => (i === 1 || i === 11 ? 1 : 0)),
      { shape },
    );
    expect(dx).toEqual(Float32Array.of(0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4));
    expect([dGamma, dBeta]).toEqual([Float32Array.of(1, 8), Float32Array.of(1, 1)]);
    const copy = InstanceNorm.fromJSON(JSON.parse(JSON.stringify(layer)));
    expect(copy.apply(x, { shape })).toEqual(y);
    expect(copy.toJSON()).toEqual(layer.toJSON());
    const own = new InstanceNorm(2, { axis: 1 });
    expect(InstanceNorm.fromJSON(own.toJSON()).runningMean).toBeNull();
    expectError(
      () => new InstanceNorm(2, { runningMean: [1, 2] }),
      TypeError,
      "runningVariance: expected one beside runningMean, got undefined",
    );
  });

  test("running statistics, convolutions and prefixes that no layer has are refused", () => {
    expectError(
      () => GroupNorm.fromPyTorch(stateDict, { groups: 1, prefix: "tracked" }),
      TypeError,
      'tracked.running_mean"]: expected no running statistics, got some (write BatchNorm.fromPyTorch',
    );
    for (const prefix of ["conv", "other", ""]) {
      const expected = `prefix: expected one of "norm", "tracked", got "${prefix}"`;
      expectError(() => GroupNorm.fromPyTorch(stateDict, { groups: 2, prefix }), RangeError, expected);
    }
    expectError(
      () => InstanceNorm.fromPyTorch({}),
      TypeError,
      'expected a name that ends in "weight", got none',
    );
    const none = Reflect.apply.bind(null, GroupNorm.fromPyTorch, GroupNorm, [{ weight: [1] }, {}]);
    expectError(none, TypeError, "groups: expected a positive integer, got undefined");
    const alone = Reflect.apply.bind(null, GroupNorm.fromPyTorch, GroupNorm, [{ weight: [1] }]);
    expectError(alone, TypeError, "groups: expected a positive integer, got undefined");
  });
});
