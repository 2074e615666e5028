// The lines of min-max scaling in float32: those of the readable search, bit for bit, as one feature and as many.

import { describe, expect, test } from "vitest";
import { bounds, DATA, FEATURES, RANGES } from "../extrema.js";
import { singleLines } from "../lines.js";
import { COLUMNS, onEveryPaint, Painted, padded, statisticsOf, tableAt } from "./painted.js";

const modules = [statisticsOf("debug/statistics.wasm"), statisticsOf("release/statistics.wasm")];

/** Beyond it a center or a shift is for steps in float64. */
const LARGEST = 2 ** 100;

interface Span {
  readonly low: number;
  readonly high: number;
  readonly constant: number;
}

/** The readable search's, where float32 holds them. */
function expected(
  min: Float64Array<ArrayBuffer>,
  max: Float64Array<ArrayBuffer>,
  span: Span,
): Float32Array[] | null {
  const lines = singleLines({ ...span, min, max });
  if (lines === null) return null;
  const { center, scale, shift } = lines;
  const far = [...center, ...shift].some((value) => Math.abs(value) > LARGEST);
  const odd = scale.some((value) => value < 2 ** -126 || value > 2 ** 127);
  return far || odd ? null : [center, scale, shift].map((values) => Float32Array.from(values));
}

test("a width beyond float32 has no line, not even one that meets both ends", () => {
  for (const { statistics, space } of modules) {
    const held = (end: number) => {
      const memory = new Painted(12345, space);
      const [min, max] = [-end, end].map((value) => memory.input(Float64Array.of(Math.fround(value))));
      const [high, into] = [Math.fround(3e38), memory.room(24)];
      return Boolean(memory.run(() => statistics.lines(min, max, -high, high, 1e-6, 1, into)));
    };
    expect([held(1.5e38), held(3e38)]).toEqual([true, false]);
  }
});

describe.each(Object.keys(DATA))("%s", (name) => {
  test.each(RANGES)("onto %d … %d", (low, high) => {
    const { min, max } = bounds(DATA[name], true);
    const span = { low: Math.fround(low), high: Math.fround(high), constant: 10 * 2 ** -23 };
    for (const { statistics, space } of modules) {
      const lines = (least: Float64Array, most: Float64Array) => {
        const features = least.length;
        let held = true;
        const found = onEveryPaint((memory) => {
          const [a, z] = [least, most].map((values) => memory.input(values));
          const into = memory.room(3 * padded(features));
          const { low, high, constant } = span;
          held = Boolean(memory.run(() => statistics.lines(a, z, low, high, constant, features, into)));
          return held ? tableAt(into, 3, features, space) : [];
        }, space);
        return held ? found : null;
      };
      const at = (values: Float64Array, features: number[]) => Float64Array.from(features, (j) => values[j]);
      const held: number[] = [];
      for (let j = 0; j < FEATURES; j++) {
        const one = [at(min, [j]), at(max, [j])] as const;
        const line = expected(...one, span);
        expect(lines(...one)).toEqual(line);
        if (line !== null) held.push(j);
      }
      for (const count of COLUMNS.filter((count) => count <= held.length)) {
        const some = held.slice(-count);
        const all = [at(min, some), at(max, some)] as const;
        expect(lines(...all)).toEqual(expected(...all, span));
      }
    }
  });
});
