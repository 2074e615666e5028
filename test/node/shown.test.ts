// What objects show of themselves: to a console, to JSON, and to another copy of the package.

import { createRequire } from "node:module";
import { inspect } from "node:util";
import {
  Affine,
  BatchNorm,
  Extrema,
  GroupNorm,
  InstanceNorm,
  MinMaxScaler,
  Moments,
  StandardScaler,
  Tensor,
} from "simdnorm";
import { expect, test } from "vitest";

test.each([
  [
    new BatchNorm(2, { axis: 1 }),
    ["BatchNorm {", "features: 2", "axis: 1", "epsilon: 0.00001", "gamma: Float32Array(2) [ 1, 1 ]"],
  ],
  [new GroupNorm(2, 4), ["GroupNorm {", "groups: 2", "features: 4", "gamma: Float32Array(4) [ 1, 1, 1, 1 ]"]],
  [new InstanceNorm(1, { beta: null }), ["InstanceNorm {", "features: 1", "beta: null"]],
  [new Affine(1), ["Affine {", "features: 1", "scale: Float64Array(1) [ 1 ]"]],
  [new Moments().add([[1], [3]]), ["Moments {", "count: 2", "mean: Float64Array(1) [ 2 ]"]],
  [new Extrema().add([[1], [3]]), ["Extrema {", "min: Float64Array(1) [ 1 ]"]],
  [
    new StandardScaler().fit([[1], [3]]),
    ["StandardScaler {", "withMean: true", "features: 1", "scale: Float64Array(1) [ 1 ]"],
  ],
  [
    new MinMaxScaler({ clip: true }),
    ["MinMaxScaler {", "range: [ 0, 1 ]", "clip: true", "features: undefined"],
  ],
  [new Tensor([2, 1], [1, 2]), ["Tensor {", "shape: [ 2, 1 ]", "data: Float32Array(2) [ 1, 2 ]"]],
] as [object, string[]][])("%o shows its name and its fields", (noun, parts) => {
  for (const part of parts) expect(inspect(noun)).toContain(part);
  // Vue's reactive() makes proxies of what is an Object by this.
  expect(Object.prototype.toString.call(noun)).toBe(`[object ${noun.constructor.name}]`);
});

test("a disposed tensor says so", () => {
  const tensor = new Tensor([1]);
  tensor.dispose();
  expect(inspect(tensor)).toContain("disposed");
});

test("a tensor survives JSON", () => {
  using tensor = new Tensor([2, 2], [1, Number.NaN, -0, Number.POSITIVE_INFINITY]);
  using copy = Tensor.fromJSON(JSON.parse(JSON.stringify(tensor)));
  expect([copy.shape, copy.data]).toEqual([tensor.shape, tensor.data]);
});

test("objects of another copy are recognized", () => {
  const other: typeof import("simdnorm") = createRequire(import.meta.url)("../../build/index.cjs");
  const whose = "of another copy of simdnorm (import and require, or two versions)";
  expect(() => new BatchNorm(2).infer(new other.Tensor([1, 2]))).toThrow(
    `x: expected a Float32Array or a Tensor, got a Tensor ${whose}`,
  );
  expect(() => new Moments(1).merge(new other.Moments(1))).toThrow(
    `other: expected Moments, got a Moments ${whose}`,
  );
  expect(() => new Affine(1).pipe(new other.Affine(1))).toThrow(whose);
  expect(() => new StandardScaler(1).merge(new other.StandardScaler(1))).toThrow(whose);
});
