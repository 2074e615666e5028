// The lines of min-max scaling: those of the readable search, bit for bit.

import { describe, expect, test } from "vitest";
import { doubleLines, RoundedLines, roundedLines, singleLines } from "../src/range.js";
import { normal, uniform } from "./data.js";
import * as readable from "./lines.js";

const FEATURES = 400;

const RANGES = [
  [0, 1],
  [-1, 1],
  [0, 255],
  [-3, 7],
  [-7, 3],
  [0.1, 0.7],
  [-1, 1e-9],
  [1e-40, 1],
  [-3e38, 3e38],
] as const;

const random = uniform(3);
const draw = normal(4);
const DATA: Record<string, () => number> = {
  "N(0, 1)": draw,
  "mean 1e4": () => 1e4 + draw(),
  magnitudes: () => draw() * 10 ** (20 * random() - 10),
  integers: () => Math.round(1000 * random()),
  huge: () => 6e38 * (random() - 0.5),
  tiny: () => 1e-40 * random(),
};

/** Every seventh feature is a constant, or has no value. */
function bounds(value: () => number, single: boolean) {
  const min = new Float64Array(FEATURES);
  const max = new Float64Array(FEATURES);
  for (let j = 0; j < FEATURES; j++) {
    const [a, b] = [value(), value()].map((v) => (single ? Math.fround(v) : v));
    min[j] = j % 14 === 13 ? Number.NaN : Math.min(a, b);
    max[j] = j % 14 === 13 ? Number.NaN : j % 14 === 6 ? min[j] : Math.max(a, b);
  }
  return { min, max };
}

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
        if (single) expect(singleLines(ends)).toEqual(readable.singleLines(ends));
        else expect(doubleLines(ends)).toEqual(readable.doubleLines(ends));
      }
      const { center, scale, shift } = new RoundedLines({ ...given, min, max });
      expect({ center, scale, shift }).toEqual(readable.roundedLines({ ...given, min, max }));
    }
  });
});
