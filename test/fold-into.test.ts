// A map and the layer beside it are one layer.

import * as fc from "fast-check";
import { Affine } from "simdnorm";
import { describe, expect, test } from "vitest";
import { expectError } from "./expect-error.js";
import { foldingCases, LAYOUTS, mapOf, runFolding } from "./random/foldings.js";

test.each(LAYOUTS)("%s: the layer and the map are one layer", (layout) => {
  fc.assert(
    fc.property(foldingCases(layout), (c) => {
      expect(runFolding(c).intact, "the layer's arrays").toBe(true);
    }),
    { seed: 30, numRuns: 100 },
  );
});

test("depthwise 3 × 3 on RGB, the map in front", () => {
  const map = new Affine(3, { center: [0, 0, 1], scale: [2, 3, 4], shift: [1, 0, 0] });
  const layer = { weight: new Float32Array(27).fill(1), bias: [0, 1, 2] };
  const folded = map.foldIntoConv(layer, { layout: "OIHW", groups: 3, order: "before", padding: 0 });
  expect(folded.weight).toEqual(Float32Array.from({ length: 27 }, (_, i) => [2, 3, 4][Math.floor(i / 9)]));
  expect(folded.bias).toEqual(Float32Array.of(0 + 9 * 1, 1, 2 - 9 * 4));
});

describe("what does not fit is refused", () => {
  const map = mapOf(4);
  const weight = new Float32Array(36);

  test.each([
    [[{ weight }], TypeError, 'layout: expected "OI" or "IO", got undefined'],
    [[{ weight }, { layout: "OIHW" }], RangeError, 'layout: expected "OI" or "IO", got OIHW'],
    [[{ weight }, "OI"], TypeError, 'options: expected an object, got "OI"'],
    [[{ weight }, { layout: "OI", order: "of" }], RangeError, 'order: expected "after" or "before", got of'],
    [[{ weight }, { layout: "OI", order: 1 }], TypeError, 'order: expected "after" or "before", got 1'],
    [[weight, { layout: "OI" }], TypeError, "layer: expected an object { weight, bias }, got a Float32Array"],
    [[null, { layout: "OI" }], TypeError, "layer: expected an object { weight, bias }, got null"],
    [[{}, { layout: "OI" }], TypeError, "weight: expected a Float32Array, got undefined"],
    [[{ weight: [1] }, { layout: "OI" }], TypeError, "weight: expected a Float32Array, got [1]"],
    [[{ weight, bias: 1 }, { layout: "OI" }], TypeError, "bias: expected an array of numbers"],
    [[{ weight, bias: new Array(4) }, { layout: "OI" }], TypeError, "bias[0]: expected a number"],
    [[{ weight, bias: [1, 2] }, { layout: "OI" }], RangeError, "bias: expected an array of 4 numbers"],
    [
      [
        { weight, bias: [1, 2, 3, 4] },
        { layout: "OI", order: "before" },
      ],
      RangeError,
      "bias: expected an array of 9 numbers, one for each output, got length 4",
    ],
    ...[0, 5].map(
      (length) =>
        [
          [{ weight: new Float32Array(length) }, { layout: "OI" }],
          RangeError,
          `weight: expected a length that is a positive multiple of 4, got ${length}`,
        ] as const,
    ),
  ] as const)("by linear layers: %j", (args, kind, message) => {
    expectError(() => Reflect.apply(map.foldIntoLinear, map, args), kind, message);
  });

  const before = { layout: "OIHW", order: "before", padding: 0 };
  const unpadded =
    'padding: expected 0 or "valid" in front of a convolution, because padded zeros do not pass the map';
  test.each([
    [undefined, TypeError, 'layout: expected "OIHW", "HWIO"'],
    ...["NCHW", "OI", "OIS", "OIWH", "oihw", "toLocaleWtring"].map(
      (layout) => [{ layout }, RangeError, `or one of them with W or DHW, got ${layout}`] as const,
    ),
    [{ layout: "OIHW", groups: "2" }, TypeError, 'groups: expected a positive integer, got "2"'],
    [{ layout: "OIHW", groups: 0 }, RangeError, "groups: expected a positive integer, got 0"],
    [{ layout: "OIHW", groups: 3 }, RangeError, "groups: expected a divisor of 4 outputs, got 3"],
    [{ ...before, groups: 3 }, RangeError, "groups: expected a divisor of 4 inputs, got 3", 9],
    [
      { ...before, layout: "HWIM", groups: 2 },
      RangeError,
      'groups: expected 4, one for each input of "HWIM", got 2',
      4,
    ],
    [{ layout: "OIHW", shape: "4,9" }, TypeError, "shape: expected an array of non-negative integers"],
    [{ layout: "OIHW", shape: [4, 9] }, RangeError, "shape: expected 4 sizes whose product is the weight's"],
    [{ layout: "OIHW", shape: [4, 9, 2, 1] }, RangeError, "length 36, got [4, 9, 2, 1]"],
    [
      { layout: "OIHW", shape: [9, 4, 1, 1] },
      RangeError,
      "shape: expected 4 outputs, as many as the map has features, got 9 in [9, 4, 1, 1]",
    ],
    [
      { ...before, shape: [4, 1, 3, 3] },
      RangeError,
      "shape: expected 4 inputs, as many as the map has features, got 1 in [4, 1, 3, 3]",
    ],
    [
      before,
      TypeError,
      "shape: expected the sizes of the weight, because nothing else tells the number of outputs",
    ],
    [{ layout: "IOHW" }, TypeError, "because nothing else tells those of a transposed convolution"],
    [before, RangeError, "weight: expected a length that is a positive multiple of 20, got 36", 5],
    [{ layout: "OIHW" }, RangeError, "bias: expected an array of 4 numbers", 5],
    ...["IOHW", "HWOI"].map(
      (layout) =>
        [{ ...before, layout }, RangeError, 'order: expected "after" for a transposed convolution'] as const,
    ),
    [{ ...before, padding: undefined }, TypeError, `${unpadded}, got undefined`],
    [{ ...before, padding: 1 }, RangeError, `${unpadded}, got 1`],
    [{ ...before, padding: [0, 1] }, RangeError, `${unpadded}, got [0, 1]`],
    [{ ...before, padding: "same" }, RangeError, `${unpadded}, got same`],
    [{ ...before, padding: "0" }, TypeError, 'padding: expected non-negative integers, "valid" or "same"'],
    [
      { ...before, padding: [0] },
      RangeError,
      "padding: expected 2 numbers, one for each axis, or 4, got [0]",
    ],
    [{ layout: "OIHW", padding: -1 }, RangeError, "padding: expected non-negative integers"],
    [{ layout: "OIHW", padding: [0.5, 0] }, RangeError, "padding: expected non-negative integers"],
    [{ layout: "OIHW", padding: new Array(2) }, TypeError, "padding: expected non-negative integers"],
  ] as const)("by convolutions: %j", (options, kind, message, outputs?: number) => {
    const bias = outputs === undefined ? null : new Float32Array(outputs);
    expectError(() => Reflect.apply(map.foldIntoConv, map, [{ weight, bias }, options]), kind, message);
  });

  test.each([0, [0, 0], [0, 0, 0, 0], "valid"] as const)("but not padding: %j", (padding) => {
    const layer = { weight, bias: new Float32Array(9) };
    expect(map.foldIntoConv(layer, { layout: "OIHW", order: "before", padding }).bias).toEqual(layer.bias);
  });
});
