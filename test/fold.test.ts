// Algebra of affine maps, and their folding into the layers beside them.

import { Affine, BatchNorm } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { normal, parameters } from "./data.js";
import { u } from "./reference.js";

function draws(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, normal(seed));
}

function mapOf(features: number, seed = features): Affine {
  const { gamma, beta, mean, variance } = parameters(features);
  return new Affine(features, {
    center: mean,
    scale: gamma.map((g) => g * seed),
    shift: beta.map((b, j) => b + variance[j]),
  });
}

/** The map in float64. */
function apply(map: Affine, j: number, x: number): number {
  return (x - map.center[j]) * map.scale[j] + map.shift[j];
}

/**
 * A folded layer sums the same products as layer + map, with weights and bias rounded once more: for
 * k products of size m each, the two differ by at most u·(k·m + |bias|) and what float64 loses.
 */
function expectClose(found: number, exact: number, magnitude: number): void {
  expect(Math.abs(found - exact)).toBeLessThanOrEqual(2 * u * magnitude);
}

describe("maps", () => {
  test("inverse undoes, then composes", () => {
    const first = mapOf(5, 2);
    const second = mapOf(5, 3);
    const both = first.then(second);
    for (let j = 0; j < 5; j++) {
      for (const x of [-3, 0, 0.7, 1e4]) {
        const exact = apply(second, j, apply(first, j, x));
        expect(Math.abs(apply(both, j, x) - exact)).toBeLessThanOrEqual(1e-13 * (1 + Math.abs(exact)));
        expect(Math.abs(apply(first.inverse(), j, apply(first, j, x)) - x)).toBeLessThanOrEqual(
          1e-12 * (1 + Math.abs(x)),
        );
      }
    }
  });

  test("what does not fit is refused", () => {
    expect(() => new Affine(2, { scale: [1, 0] }).inverse()).toThrow(
      new RangeError("scale[1]: expected a number other than 0, to be undone, got 0"),
    );
    expect(() => mapOf(2).then(mapOf(3))).toThrow(new RangeError("other: expected features = 2, got 3"));
    expect(() => mapOf(2).then(new Affine(2, { axis: 1 }))).toThrow(
      new RangeError("other: expected axis = -1, got 1"),
    );
    expect(() => Reflect.apply(mapOf(2).then, mapOf(2), [{}])).toThrow(TypeError);
  });

  test("awaiting one says what to do", async () => {
    await expect(Promise.resolve().then(() => mapOf(2))).rejects.toThrow("a map cannot be awaited");
  });
});

describe("linear layers", () => {
  const inputs = 6;
  const outputs = 4;
  const weight = draws(inputs * outputs, 1);
  const bias = draws(outputs, 2);
  const x = draws(inputs, 3);
  const at = { OI: (o: number, i: number) => o * inputs + i, IO: (o: number, i: number) => i * outputs + o };

  const linear = (w: Float32Array, b: ArrayLike<number>, layout: "OI" | "IO", input: ArrayLike<number>) =>
    Array.from({ length: outputs }, (_, o) =>
      Array.from(input).reduce((sum, value, i) => sum + value * w[at[layout](o, i)], b[o]),
    );

  test.each(["OI", "IO"] as const)("%s, the map behind and in front of it", (layout) => {
    for (const b of [bias, null, undefined]) {
      const old = b ?? new Float32Array(outputs);
      const behind = mapOf(outputs);
      const after = behind.foldIntoLinear(weight, b, { layout });
      linear(weight, old, layout, x).forEach((y, o) => {
        expectClose(linear(after.weight, after.bias, layout, x)[o], apply(behind, o, y), 200);
      });
      const front = mapOf(inputs);
      const before = front.foldIntoLinear(weight, b, { layout, order: "before" });
      const mapped = Array.from(x, (value, i) => apply(front, i, value));
      linear(weight, old, layout, mapped).forEach((y, o) => {
        expectClose(linear(before.weight, before.bias, layout, x)[o], y, 500);
      });
    }
  });

  test("a layer and its batch norm are one layer", () => {
    const { gamma, beta, mean, variance } = parameters(outputs);
    const norm = new BatchNorm(outputs, { gamma, beta, runningMean: mean, runningVariance: variance });
    const folded = norm.fold().foldIntoLinear(weight, bias, { layout: "OI" });
    const y = norm.infer(Float32Array.from(linear(weight, bias, "OI", x)));
    linear(folded.weight, folded.bias, "OI", x).forEach((value, o) => {
      expectClose(value, y[o], 200);
    });
  });
});

describe("convolutions", () => {
  const I = 3;
  const O = 4;
  const K = 2 * 5;

  /** Index of output o, input i, place k in each layout. */
  const layouts: Record<string, (o: number, i: number, k: number) => number> = {
    OIHW: (o, i, k) => (o * I + i) * K + k,
    HWIO: (o, i, k) => (k * I + i) * O + o,
    OHWI: (o, i, k) => (o * K + k) * I + i,
    IHWO: (o, i, k) => (i * K + k) * O + o,
    oidhw: (o, i, k) => (o * I + i) * K + k,
  };

  test.each(Object.keys(layouts))("%s, the map behind and in front of it", (layout) => {
    const index = layouts[layout];
    const weight = draws(O * I * K, 1);
    const bias = draws(O, 2);
    const behind = mapOf(O);
    const after = behind.foldIntoConv(weight, bias, { layout });
    const front = mapOf(I);
    const before = front.foldIntoConv(weight, bias, { layout, order: "before", padding: 0 });
    const unbiased = front.foldIntoConv(weight, null, { layout, order: "before", padding: 0, outputs: O });
    for (let o = 0; o < O; o++) {
      let moved = 0;
      for (let i = 0; i < I; i++) {
        for (let k = 0; k < K; k++) {
          const w = weight[index(o, i, k)];
          expect(after.weight[index(o, i, k)]).toBe(Math.fround(w * behind.scale[o]));
          expect(before.weight[index(o, i, k)]).toBe(Math.fround(w * front.scale[i]));
          moved += w * (front.shift[i] - front.center[i] * front.scale[i]);
        }
      }
      expect(after.bias[o]).toBe(
        Math.fround((bias[o] - behind.center[o]) * behind.scale[o] + behind.shift[o]),
      );
      expectClose(before.bias[o], bias[o] + moved, 100);
      expectClose(unbiased.bias[o], moved, 100);
    }
  });

  test("depthwise: one input for each output, or M outputs for each input", () => {
    const map = mapOf(6);
    const torch = draws(6 * 9, 1);
    map.foldIntoConv(torch, null, { layout: "OIHW" }).weight.forEach((w, i) => {
      expect(w).toBe(Math.fround(torch[i] * map.scale[Math.floor(i / 9)]));
    });
    const keras = draws(9 * 3 * 2, 2);
    map.foldIntoConv(keras, null, { layout: "HWIM" }).weight.forEach((w, i) => {
      expect(w).toBe(Math.fround(keras[i] * map.scale[i % 6]));
    });
  });

  test("what does not fit is refused", () => {
    const map = mapOf(4);
    const weight = new Float32Array(4 * 9);
    const fold = (options: object, w: unknown = weight, bias?: unknown) =>
      Reflect.apply(map.foldIntoConv, map, [w, bias, options]);
    expect(() => fold({ layout: "OIHW", order: "before" })).toThrow(
      new RangeError(
        "padding: expected 0 before a convolution, because padded zeros do not pass the map, got undefined",
      ),
    );
    expect(() => fold({ layout: "OIHW", order: "before", padding: 1 })).toThrow(RangeError);
    expect(() => fold({ layout: "OIHW", order: "before", padding: 0 })).toThrow(
      "outputs: expected a positive integer",
    );
    expect(() => fold({ layout: "HWIM", order: "before", padding: 0 })).toThrow(RangeError);
    expect(() => fold({ layout: "NCHW" })).toThrow(RangeError);
    expect(() => fold({ layout: "OO" })).toThrow(RangeError);
    expect(() => fold({})).toThrow(TypeError);
    expect(() => fold({ layout: "OIHW" }, [1, 2])).toThrow("weight: expected a Float32Array, got [1, 2]");
    expect(() => fold({ layout: "OIHW" }, new Float32Array(5))).toThrow(
      new RangeError("weight: expected a length that is a positive multiple of 4, got 5"),
    );
    expect(() => fold({ layout: "OIHW" }, weight, [1])).toThrow("bias: expected an array of 4 numbers");
    expect(() => Reflect.apply(map.foldIntoLinear, map, [weight, null, { layout: "OIHW" }])).toThrow(
      RangeError,
    );
    expect(() => Reflect.apply(map.foldIntoLinear, map, [weight])).toThrow(TypeError);
  });
});

onBothBackends(() => {
  test("an inverse runs like any map", () => {
    const map = mapOf(7);
    const x = draws(7 * 30, 5);
    const back = map.inverse().apply(map.apply(x));
    for (let i = 0; i < x.length; i++) expect(Math.abs(back[i] - x[i])).toBeLessThanOrEqual(20 * u * 4);
  });
});
