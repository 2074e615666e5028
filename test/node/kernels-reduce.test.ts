// The kernels that reduce, on painted memory: they write their results and their scratch memory, nothing beside, and
// what lies past the last row, between rows that are apart and in padding changes no bit of a result.

import { describe, test } from "vitest";
import { moments, type Sizes, u } from "../reference.js";
import {
  COLUMNS,
  doublesAt,
  eachPitch,
  type Floats,
  kernels,
  normals,
  onEveryPaint,
  type Painted,
  PLANES,
  padded,
  ROWS,
  type Rows,
  rowsOfTiles,
  TILES,
  within,
} from "./painted.js";

const doubles = (length: number, seed: number) => Float64Array.from(normals(length, seed));

// ----------------------------------------------------------------------------------- moments

/** Bytes of scratch memory that kernels may use: 32 a column. */
const scratch = (memory: Painted, columns: number) => memory.room(8 * padded(columns));

/**
 * The variance within 5·10⁻⁷, the mean within 64u standard deviations: sums are rounded at most 22 times, and their
 * shift is at most √8 standard deviations away. In float64 the mean within 10⁻¹², and the variance as far as
 * differences from a mean are, which is rounded to 2⁻⁵³ of itself.
 */
function checkMoments([mean, m2]: Floats[], x: Float32Array, sizes: Sizes, exact: boolean): void {
  const n = sizes.outer * sizes.inner;
  const reference = moments(x, sizes);
  const size = reference.mean.map(Math.abs);
  const deviation = reference.variance.map(Math.sqrt);
  const variance = m2.map((value) => value / n);
  if (exact) {
    within(variance, reference.variance, (v, j) => v * (1e-12 + (2 ** -50 * size[j]) / deviation[j]));
    within(mean, reference.mean, (_, j) => 1e-12 * Math.max(size[j], deviation[j]));
  } else {
    within(variance, reference.variance, (v) => 5e-7 * v);
    within(mean, reference.mean, (_, j) => 64 * u * deviation[j] + 2 ** -50 * size[j]);
  }
}

/** Rows of a chunk at least: a window of 48 · 1024 values over a strip of 4096. */
const CHUNK = 12;

/** In one part, and in two of which the second resumes the first. */
function eachSplit(
  outer: number,
  least: number,
  visit: (parts: [begin: number, end: number][]) => void,
): void {
  visit([[0, outer]]);
  for (const cut of new Set([least, outer >> 1, outer - 1])) {
    if (cut < least || cut >= outer) continue;
    visit([
      [0, cut],
      [cut, outer],
    ]);
  }
}

interface Reduction {
  features: number;
  inner: number;
  /** Columns of the work table. */
  columns: number;
  /** Rows or images of the first part at least. */
  least: number;
  exact: boolean;
  run(x: number, rows: number, scratch: number, mean: number, m2: number, count: number): void;
}

/** The moments of rows in parts, each with memory of its own. */
function checkReduction(rows: Rows, { features, inner, columns, least, exact, run }: Reduction): void {
  const outer = rows.values.length / rows.row;
  const sizes = { outer, features, inner };
  eachSplit(outer, least, (parts) => {
    const found = onEveryPaint((memory) => {
      const work = scratch(memory, columns);
      const mean = memory.room(2 * padded(features));
      const m2 = memory.room(2 * padded(features));
      for (const [begin, end] of parts) {
        const values = rows.values.subarray(begin * rows.row, end * rows.row);
        const x = memory.rows({ ...rows, values });
        memory.run(() => run(x, end - begin, work, mean, m2, begin * inner));
      }
      return [doublesAt(mean, features), doublesAt(m2, features)];
    });
    checkMoments(found, rows.values, sizes, exact);
  });
}

/** N(10⁴, 1): without their shift, sums would lose all of the variance. */
const far = (length: number) => normals(length, 4).map((value) => 1e4 + value);

describe("moments", () => {
  test.each(COLUMNS)("columns: %i", (columns) => {
    const sizes = { features: columns, inner: 1, columns, least: CHUNK };
    for (const count of ROWS) {
      eachPitch(far(count * columns), columns, (rows) => {
        const stride = 4 * rows.pitch;
        checkReduction(rows, {
          ...sizes,
          exact: false,
          run: (x, count, work, mean, m2, seen) =>
            kernels.columnsMoments(x, count, columns, 1, 1, stride, work, mean, m2, seen),
        });
        checkReduction(rows, {
          ...sizes,
          exact: true,
          run: (x, count, work, mean, m2, seen) =>
            kernels.columnsMomentsExact(x, count, columns, 1, stride, work, mean, m2, seen),
        });
      });
    }
  });

  test.each(TILES)("tiles of %i features by %i, %i copies", (features, inner, copies) => {
    const row = features * inner;
    const sizes = { features, inner, least: 1 };
    for (const count of rowsOfTiles(copies)) {
      const rows = { values: far(count * row), row, pitch: row };
      checkReduction(rows, {
        ...sizes,
        columns: row * copies,
        exact: false,
        run: (x, count, work, mean, m2, seen) =>
          kernels.columnsMoments(x, count, features, inner, copies, 4 * row, work, mean, m2, seen),
      });
      checkReduction(rows, {
        ...sizes,
        columns: row,
        exact: true,
        run: (x, count, work, mean, m2, seen) =>
          kernels.columnsMomentsExact(x, count, features, inner, 4 * row, work, mean, m2, seen),
      });
    }
  });

  test.each(PLANES)("planes of %i", (inner) => {
    for (const [images, planes] of [
      [1, 1],
      [2, 2],
      [3, 5],
    ]) {
      const row = planes * inner;
      const rows = { values: far(images * row), row, pitch: row };
      const sizes = { features: planes, inner, columns: planes, least: 1 };
      checkReduction(rows, {
        ...sizes,
        exact: false,
        run: (x, images, work, mean, m2, seen) =>
          kernels.planesMoments(x, images, planes, inner, work, mean, m2, seen),
      });
      checkReduction(rows, {
        ...sizes,
        exact: true,
        run: (x, images, _, mean, m2, seen) =>
          kernels.planesMomentsExact(x, images, planes, inner, mean, m2, seen),
      });
    }
  });

  // As the walk does it: chunks of an even number of planes, and parts of one.
  test.each([1, 2, 4])("%i planes of more leave the others' moments as they are", (planes) => {
    for (const inner of PLANES) {
      for (const seen of [0, 1000]) {
        // The first part of a plane that is walked in parts is long.
        if (planes === 1 && seen === 0 && inner <= 512) continue;
        onEveryPaint((memory) => {
          const x = memory.input(normals(planes * inner, 4));
          const work = scratch(memory, planes);
          const [mean, m2] = [
            memory.output(doubles(planes, 5)),
            memory.output(new Float64Array(planes).fill(1000)),
          ];
          memory.run(() => kernels.planesMoments(x, 1, planes, inner, work, mean, m2, seen));
          return [doublesAt(mean, planes), doublesAt(m2, planes)];
        });
      }
    }
  });
});

// --------------------------------------------------------------------------------- gradients

/** Σdy and Σdy·(x − f32(mean)), added to what was there, within 40u of the sum of magnitudes. */
function checkGradients(
  rows: Rows,
  features: number,
  inner: number,
  room: (memory: Painted) => number,
  call: (x: number, dy: number, scratch: number, mean: number, s1: number, s2: number) => void,
): void {
  const dy = { ...rows, values: normals(rows.values.length, 9) };
  const mean = doubles(features, 5);
  const [first, second] = [doubles(padded(features), 6), doubles(padded(features), 7)];
  const exact = [first.slice(0, features), second.slice(0, features)];
  const sizes = [new Float64Array(features), new Float64Array(features)];
  rows.values.forEach((x, i) => {
    const j = Math.floor(i / inner) % features;
    const terms = [dy.values[i], dy.values[i] * (x - Math.fround(mean[j]))];
    for (const k of [0, 1]) {
      exact[k][j] += terms[k];
      sizes[k][j] += Math.abs(terms[k]);
    }
  });
  const found = onEveryPaint((memory) => {
    const [x, upstream, about] = [memory.rows(rows), memory.rows(dy), memory.input(mean)];
    const [s1, s2] = [memory.output(first), memory.output(second)];
    const work = room(memory);
    memory.run(() => call(x, upstream, work, about, s1, s2));
    return [doublesAt(s1, features), doublesAt(s2, features)];
  });
  for (const k of [0, 1]) within(found[k], exact[k], (v, j) => 40 * u * sizes[k][j] + 2 ** -50 * Math.abs(v));
}

describe("gradients", () => {
  test.each(COLUMNS)("columns: %i", (columns) => {
    for (const count of ROWS) {
      eachPitch(normals(count * columns, 4), columns, (rows) => {
        checkGradients(
          rows,
          columns,
          1,
          (memory) => scratch(memory, columns),
          (x, dy, work, mean, s1, s2) =>
            kernels.columnsGradients(x, dy, count, columns, 1, 1, 4 * rows.pitch, work, mean, s1, s2),
        );
      });
    }
  });

  test.each(TILES)("tiles of %i features by %i, %i copies", (features, inner, copies) => {
    const row = features * inner;
    for (const count of rowsOfTiles(copies)) {
      const rows = { values: normals(count * row, 4), row, pitch: row };
      checkGradients(
        rows,
        features,
        inner,
        (memory) => scratch(memory, row * copies),
        (x, dy, work, mean, s1, s2) =>
          kernels.columnsGradients(x, dy, count, features, inner, copies, 4 * row, work, mean, s1, s2),
      );
    }
  });

  test.each(PLANES)("planes of %i", (inner) => {
    for (const [images, planes] of [
      [1, 1],
      [2, 2],
      [3, 5],
    ]) {
      const row = planes * inner;
      const rows = { values: normals(images * row, 4), row, pitch: row };
      checkGradients(
        rows,
        planes,
        inner,
        () => 0,
        (x, dy, _, mean, s1, s2) => kernels.planesGradients(x, dy, images, planes, inner, mean, s1, s2),
      );
    }
  });
});
