// The lines of min-max scaling in float64: those of the readable search, bit for bit. Those in float32 are a kernel's:
// test/node/range.test.ts.

import { MinMaxScaler } from "simdnorm";
import { describe, expect, test } from "vitest";
import { doubleLines, RoundedLines, roundedLines } from "../src/range.js";
import { bounds, DATA, FEATURES, RANGES } from "./extrema.js";
import * as readable from "./lines.js";

describe.each(Object.keys(DATA))("%s", (name) => {
  test.each(RANGES)("onto %d … %d", (low, high) => {
    for (const single of [true, false]) {
      const { min, max } = bounds(DATA[name], single);
      const round = single ? Math.fround : (value: number) => value;
      const given = { low: round(low), high: round(high), constant: 10 * 2 ** (single ? -23 : -52) };
      // In float64 the search for a line that is not there is long.
      const all = low === -1 && high < 1 && !single ? 2 : FEATURES;
      for (let j = 0; j < all; j++) {
        // One by one, because a feature without a line leaves no other one.
        const ends = { ...given, min: min.slice(j, j + 1), max: max.slice(j, j + 1) };
        expect(roundedLines(ends)).toEqual(readable.roundedLines(ends));
        if (!single) expect(doubleLines(ends)).toEqual(readable.doubleLines(ends));
      }
      const { center, scale, shift } = new RoundedLines({ ...given, min, max });
      expect({ center, scale, shift }).toEqual(readable.roundedLines({ ...given, min, max }));
    }
  });
});

describe("float64 data whose feature has no line", () => {
  // Found by random tests: the line of the anchor ends a rounding beyond the range.
  const without: [range: [number, number], min: number, max: number][] = [
    [[0, 255], -2.1984457969665527, 1.784013271331787],
    [[-255, 0], -1.784013271331787, 2.1984457969665527],
    [[-1, 1e-9], 3, 4.7],
    [[-1e-9, 1], 3, 4.7],
  ];
  test.each(without)(
    "onto %j from %d to %d: within the range, a rounding from an end at most",
    (range, min, max) => {
      const x = Float64Array.from({ length: 1000 }, (_, i) => min + ((max - min) * i) / 1000);
      x[999] = max;
      const y = new MinMaxScaler(1, { range }).fitTransform(x);
      const largest = Math.max(...range.map(Math.abs));
      for (const value of y) expect(value >= range[0] && value <= range[1]).toBe(true);
      expect(y[0] - range[0]).toBeLessThanOrEqual(2 ** -52 * largest);
      expect(range[1] - y[999]).toBeLessThanOrEqual(2 ** -52 * largest);
    },
  );
});
