// The kernels that fold, on painted memory: all in float64, rounded once to float32. What stands in padding, which is
// folded too, decides nothing.

import { describe, expect, test } from "vitest";
import { u } from "../reference.js";
import {
  COLUMNS,
  doublesAt,
  kernels,
  normals,
  onEveryPaint,
  Painted,
  padded,
  TILES,
  table,
  tableAt,
  within,
} from "./painted.js";

const doubles = (length: number, seed: number) => Float64Array.from(normals(length, seed));

/** N(0, 1), squared. */
const squares = (length: number, seed: number) => doubles(length, seed).map((value) => value * value);

const COUNT = 7;
const EPSILON = 1e-5;

/** A float64 result, a few roundings from the exact one, rounded to float32. */
const rounded = (exact: number) => u * (1 + 2 ** -20) * Math.abs(exact) + 2 ** -149;

/** A float64 result, after at most 16 roundings of its largest term. */
const double = (largest: number) => 2 ** -49 * largest;

test.each(COLUMNS)("fold: %i features", (features) => {
  const mean = doubles(features, 1).map((value) => 1e4 + value);
  const m2 = squares(features, 2);
  const gamma = normals(features, 3);
  const beta = normals(features, 4);
  const [center, scale, shift] = onEveryPaint((memory) => {
    const given = [mean, m2].map((values) => memory.input(values));
    const parameters = [gamma, beta].map((values) => memory.input(values));
    const into = memory.room(3 * padded(features));
    const [at, squared] = given;
    const [scale, shift] = parameters;
    const held = memory.run(() => kernels.fold(at, squared, COUNT, scale, shift, EPSILON, features, into));
    expect(Boolean(held)).toBe(true);
    return tableAt(into, 3, features);
  });
  const exact = Array.from(gamma, (g, j) => g / Math.sqrt(m2[j] / COUNT + EPSILON));
  expect(center).toEqual(Float32Array.from(mean));
  within(scale, exact, rounded);
  // What rounding took from the mean is in the shift: both terms are computed in float64.
  const terms = exact.map((s, j) => (center[j] - mean[j]) * s);
  within(
    shift,
    terms.map((term, j) => beta[j] + term),
    (v, j) => rounded(v) + double(Math.abs(terms[j])),
  );
});

describe("float32 holds a map", () => {
  /** Whether the map of one feature among ordinary ones is said to be held, wherever it stands. */
  function holds(fold: (memory: Painted, features: number, at: number) => boolean): boolean[] {
    const found = new Set<boolean>();
    for (const features of [1, 2, 4, 5, 8, 11]) {
      for (let at = 0; at < features; at++) {
        const [held] = onEveryPaint((memory) => [Float64Array.of(Number(fold(memory, features, at)))]);
        found.add(Boolean(held[0]));
      }
    }
    return [...found];
  }

  /** All are alike but one. */
  const but = <Values extends Float32Array | Float64Array>(values: Values, at: number, value: number) => {
    values[at] = value;
    return values;
  };

  const LARGEST = 2 ** 100;
  const LEAST_SCALE = 2 ** -126;

  test.each([
    [0, 1, true],
    [LARGEST, 1, true],
    [-LARGEST * (1 + 2 ** -22), 1, false],
    [0, LEAST_SCALE, true],
    [0, LEAST_SCALE * 0.99, false],
    [0, -1.1e-42, false],
    [0, 0, true],
    [0, 2 ** 127, true],
    [0, -1.01 * 2 ** 127, false],
  ])("mean %d, scale %d: %s", (mean, scale, expected) => {
    // A variance of 1 and no epsilon: the scale is gamma.
    const folds = holds((memory, features, at) => {
      const [m, v] = [but(new Float64Array(features), at, mean), new Float64Array(features).fill(1)];
      const g = but(new Float32Array(features).fill(1), at, scale);
      const given = [m, v, g, new Float32Array(features)].map((values) => memory.input(values));
      const into = memory.room(3 * padded(features));
      const [means, m2, gamma, beta] = given;
      return Boolean(memory.run(() => kernels.fold(means, m2, 1, gamma, beta, 0, features, into)));
    });
    expect(folds).toEqual([expected]);
    const packs = holds((memory, features, at) => {
      const [c, s] = [
        but(new Float64Array(features), at, mean),
        but(new Float64Array(features).fill(1), at, scale),
      ];
      const [center, scales, shift] = [c, s, new Float64Array(features)].map((values) =>
        memory.input(values),
      );
      const into = memory.room(3 * padded(features));
      return Boolean(memory.run(() => kernels.pack(center, scales, shift, features, into)));
    });
    expect(packs).toEqual([expected]);
  });

  test.each([
    [0, 1, 1, 1, true],
    [-LARGEST * (1 + 2 ** -22), 1, 1, 1, false],
    // A = gamma·s, B = −s·s·g and C = −s·b, where s is 1/deviation.
    [0, 2 ** -126, 0, 0, true],
    [0, 2 ** -127, 0, 0, false],
    [0, 2 ** 127, 0, 0, true],
    [0, 2 ** 128, 0, 0, false],
    [0, 2 ** -60, 2 ** -6, 0, true],
    [0, 2 ** -60, 2 ** -7, 0, false],
    [0, 2 ** 60, 2 ** 7, 0, true],
    [0, 2 ** 60, 2 ** 8, 0, false],
    [0, 2 ** 40, 0, 2 ** 60, true],
    [0, 2 ** 40, 0, 2 ** 61, false],
  ])("mean %d, 1/deviation %d, g %d, b %d: %s", (mean, s, g, b, expected) => {
    const slopes = holds((memory, features, at) => {
      const given = [
        but(new Float64Array(features), at, mean),
        but(new Float64Array(features).fill(1), at, s ** -2),
        but(new Float64Array(features), at, b),
        but(new Float64Array(features), at, g),
        new Float32Array(features).fill(1),
      ].map((values) => memory.input(values));
      const into = memory.room(4 * padded(features));
      const [means, m2, dBeta, dGamma, gamma] = given;
      return Boolean(
        memory.run(() => kernels.foldSlope(means, m2, 1, gamma, 0, features, dBeta, dGamma, into)),
      );
    });
    expect(slopes).toEqual([expected]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "sums of gradients that are %d say so",
    (odd) => {
      for (const which of [0, 1]) {
        const finite = holds((memory, features, at) => {
          // A mean whose lowest bits float32 has not: then the first sum is part of the second.
          const given = [new Float64Array(features).fill(0.1), new Float64Array(features).fill(1)];
          const [mean, m2] = given.map((values) => memory.input(values));
          const sums = [0, 1].map((k) => {
            const values = new Float64Array(padded(features)).fill(odd);
            values.fill(1, 0, features);
            return memory.output(k === which ? but(values, at, odd) : values);
          });
          return Boolean(memory.run(() => kernels.foldSums(mean, m2, 1, 0, features, sums[0], sums[1])));
        });
        expect(finite).toEqual([false]);
      }
    },
  );

  test("a shift beyond 2¹⁰⁰ is not", () => {
    for (const [shift, expected] of [
      [LARGEST, true],
      [-1.01 * LARGEST, false],
    ] as const) {
      const packs = holds((memory, features, at) => {
        const values = [new Float64Array(features), new Float64Array(features).fill(1)];
        const given = [...values, but(new Float64Array(features), at, shift)].map((list) =>
          memory.input(list),
        );
        const [center, scale, shifts] = given;
        const into = memory.room(3 * padded(features));
        return Boolean(memory.run(() => kernels.pack(center, scale, shifts, features, into)));
      });
      expect(packs).toEqual([expected]);
    }
  });
});

test.each(COLUMNS)("pack: %i features", (features) => {
  const center = doubles(features, 1).map((value) => 1e4 + value);
  const [scale, shift] = [doubles(features, 2), doubles(features, 3)];
  const found = onEveryPaint((memory) => {
    const [c, s, b] = [center, scale, shift].map((values) => memory.input(values));
    const into = memory.room(3 * padded(features));
    const held = memory.run(() => kernels.pack(c, s, b, features, into));
    expect(Boolean(held)).toBe(true);
    return tableAt(into, 3, features);
  });
  // In float64, rounded once: the same bits.
  const low = center.map((value) => Math.fround(value) - value);
  const exact = [center, scale, shift.map((b, j) => b + low[j] * scale[j])];
  expect(found).toEqual(exact.map((list) => Float32Array.from(list)));
});

test.each(COLUMNS)(
  "what is kept of %i features: equal to itself, and to nothing that differs in a bit",
  (features) => {
    const lengths = padded(features);
    const given = () => [
      new Float64Array(lengths).fill(3),
      new Float64Array(lengths).fill(-0),
      new Float32Array(lengths).fill(Number.NaN),
      new Float32Array(lengths).fill(2),
    ];
    const memory = new Painted(12345);
    const pointers = given().map((values) => memory.output(values));
    const copy = memory.room(6 * lengths);
    const [mean, m2, gamma, beta] = pointers;
    const kept = () => Boolean(memory.run(() => kernels.keep(mean, m2, gamma, beta, features, copy)));
    expect(kept()).toBe(false);
    expect(kept()).toBe(true);
    const bytes = new Uint8Array(kernels.memory.buffer);
    for (const [at, size] of [
      [mean, 8],
      [m2, 8],
      [gamma, 4],
      [beta, 4],
    ] as const) {
      for (let j = 0; j < features; j++) {
        // A sign of 0, or the lowest bit of a number or of a NaN.
        bytes[at + size * j + (at === m2 ? size - 1 : 0)] ^= at === m2 ? 128 : 1;
        expect(kept()).toBe(false);
        expect(kept()).toBe(true);
      }
    }
  },
);

test.each(COLUMNS)("the sums of gradients: %i features", (features) => {
  const mean = doubles(features, 1).map((value) => 1e4 + value);
  const [m2, first, second] = [squares(features, 2), doubles(features, 3), doubles(features, 4)];
  const s = m2.map((value) => 1 / Math.sqrt(value / COUNT + EPSILON));
  const apart = mean.map((value) => Math.fround(value) - value);

  const [sums1, sums2] = onEveryPaint((memory) => {
    const [m, v] = [mean, m2].map((values) => memory.input(values));
    // Padding is folded too.
    const [s1, s2] = [memory.room(2 * padded(features)), memory.room(2 * padded(features))];
    new Uint8Array(kernels.memory.buffer).set(new Uint8Array(first.buffer), s1);
    new Uint8Array(kernels.memory.buffer).set(new Uint8Array(second.buffer), s2);
    const finite = memory.run(() => kernels.foldSums(m, v, COUNT, EPSILON, features, s1, s2));
    expect(Boolean(finite)).toBe(true);
    return [doublesAt(s1, features), doublesAt(s2, features)];
  });
  expect(sums1).toEqual(first);
  within(
    sums2,
    second.map((value, j) => s[j] * (value + apart[j] * first[j])),
    (_, j) => double(s[j] * (Math.abs(second[j]) + Math.abs(apart[j] * first[j]))),
  );

  const gamma = normals(features, 5);
  const [center, a, b, c] = onEveryPaint((memory) => {
    // The gradients come times gamma.
    const [m, v, s1, s2] = [mean, m2, first, second].map((values) => memory.input(values));
    const g = memory.input(gamma);
    const into = memory.room(4 * padded(features));
    const held = memory.run(() => kernels.foldSlope(m, v, COUNT, g, EPSILON, features, s1, s2, into));
    expect(Boolean(held)).toBe(true);
    return tableAt(into, 4, features);
  });
  const slope = Array.from(s, (value, j) => gamma[j] * value);
  const slant = Array.from(s, (value, j) => (-value * value * second[j]) / COUNT);
  const terms = slant.map((value, j) => [value * apart[j], (-s[j] * first[j]) / COUNT]);
  expect(center).toEqual(Float32Array.from(mean));
  within(a, slope, rounded);
  within(b, slant, rounded);
  within(
    c,
    terms.map(([p, q]) => p + q),
    (v, j) => rounded(v) + double(Math.max(...terms[j].map(Math.abs))),
  );
});

test.each(TILES)("the table of %i features by %i, %i times", (features, inner, copies) => {
  const columns = features * inner * copies;
  for (const coefficients of [3, 4]) {
    const values = Array.from({ length: coefficients }, (_, k) => normals(features, k));
    const found = onEveryPaint((memory) => {
      const from = memory.input(table(values, features));
      const to = memory.room(coefficients * padded(columns));
      memory.run(() => kernels.tileTable(from, features, inner, columns, to, 32 * coefficients));
      return tableAt(to, coefficients, columns);
    });
    const wide = values.map((list) =>
      Float32Array.from({ length: columns }, (_, j) => list[Math.floor(j / inner) % features]),
    );
    expect(found).toEqual(wide);
  }
});

describe("doubtful moments", () => {
  // Not finite, negative, or so small that squares underflowed; 0 is a constant's, unless all squares vanished.
  test.each([
    [5, 1, false],
    [5, Number.NaN, true],
    [5, Number.POSITIVE_INFINITY, true],
    [5, -1e-9, true],
    [5, COUNT * 1e-36, false],
    [5, COUNT * 0.99e-36, true],
    [5, 0, false],
    [0, 0, false],
    [1e-16, 0, true],
    [Number.NaN, Number.NaN, true],
  ])("mean %d, m2 %d: %s", (mean, m2, expected) => {
    for (const features of [1, 2, 5, 8]) {
      for (let at = 0; at < features; at++) {
        const means = new Float64Array(features).fill(1);
        const all = new Float64Array(features).fill(COUNT);
        means[at] = mean;
        all[at] = m2;
        const [found] = onEveryPaint((memory) => {
          const [a, b] = [means, all].map((values) => memory.input(values));
          return [Float64Array.of(Number(memory.run(() => kernels.doubtful(a, b, COUNT, features))))];
        });
        expect(Boolean(found[0])).toBe(expected);
      }
    }
  });
});
