// The kernels that map values, on painted memory: they write their outputs and nothing beside them or between rows
// that are apart. Their steps are those of float32, so that results are the same bits.

import { describe, test } from "vitest";
import {
  COLUMNS,
  eachPitch,
  expectSameBits,
  kernels,
  normals,
  onEveryPaint,
  PLANES,
  ROWS,
  type Rows,
  rowsAt,
  rowsOfTiles,
  TILES,
  table,
} from "./painted.js";

const f = Math.fround;

// ------------------------------------------------------------------------------------- apply

/** What follows the map: a residual or none, and the clamp. */
const AFTER = [
  [false, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [false, 0, 6],
  [true, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [true, -1, Number.POSITIVE_INFINITY],
] as const;

/** In float32, step by step, as the kernels do: the same bits. */
function applied(
  x: Float32Array,
  feature: (i: number) => number,
  [center, scale, shift]: Float32Array[],
  [added, low, high]: (typeof AFTER)[number],
  residual: Float32Array,
): Float32Array {
  return x.map((value, i) => {
    const j = feature(i);
    const y = f(f(f(value - center[j]) * scale[j]) + shift[j]);
    return Math.min(Math.max(added ? f(y + residual[i]) : y, low), high);
  });
}

/** Out of place, in place, and over the residual, with all that may follow. */
function eachApply(
  rows: Rows,
  coefficients: Float32Array[],
  feature: (i: number) => number,
  columns: number,
  call: (x: number, y: number, table: number, residual: number, low: number, high: number) => void,
): void {
  const residual = { ...rows, values: normals(rows.values.length, 9) };
  for (const after of AFTER) {
    const [added, low, high] = after;
    const exact = applied(rows.values, feature, coefficients, after, residual.values);
    for (const place of ["out of place", "in place", "over the residual"]) {
      if (place === "over the residual" && !added) continue;
      const [y] = onEveryPaint((memory) => {
        const lanes = memory.input(table(coefficients, columns));
        const x = place === "in place" ? memory.outputRows(rows) : memory.rows(rows);
        const beside = place === "over the residual" ? memory.outputRows(residual) : memory.rows(residual);
        const blank = { ...rows, values: new Float32Array(rows.values.length) };
        const out =
          place === "in place" ? x : place === "over the residual" ? beside : memory.outputRows(blank);
        memory.run(() => call(x, out, lanes, added ? beside : 0, low, high));
        return [rowsAt(out, rows)];
      });
      expectSameBits(y, exact);
    }
  }
}

const three = (features: number) => [1, 2, 3].map((seed) => normals(features, seed));

describe("apply", () => {
  test.each(COLUMNS)("columns: %i", (columns) => {
    for (const count of ROWS) {
      eachPitch(normals(count * columns, 4), columns, (rows) => {
        eachApply(
          rows,
          three(columns),
          (i) => i % columns,
          columns,
          (x, y, table, residual, low, high) =>
            kernels.columnsApply(x, y, count, columns, 1, 4 * rows.pitch, table, residual, low, high),
        );
      });
    }
  });

  test.each(TILES)("tiles of %i features by %i, %i copies", (features, inner, copies) => {
    const row = features * inner;
    for (const count of rowsOfTiles(copies)) {
      const values = normals(count * row, 4);
      const each = three(features);
      const columns = each.map((list) =>
        Float32Array.from({ length: row }, (_, i) => list[Math.floor(i / inner)]),
      );
      const rows = { values, row, pitch: row };
      eachApply(
        rows,
        columns,
        (i) => i % row,
        row * copies,
        (x, y, table, residual, low, high) =>
          kernels.columnsApply(x, y, count, row, copies, 4 * row, table, residual, low, high),
      );
    }
  });

  test.each(PLANES)("planes of %i", (inner) => {
    for (const [images, planes, first] of [
      [1, 1, 0],
      [1, 2, 7],
      [3, 5, 6],
    ]) {
      const values = normals(images * planes * inner, 4);
      const row = values.length;
      const feature = (i: number) => first + (Math.floor(i / inner) % planes);
      const all = first + planes;
      eachApply({ values, row, pitch: row }, three(all), feature, all, (x, y, table, residual, low, high) =>
        kernels.planesApply(x, y, images, planes, inner, table, first, residual, low, high),
      );
    }
  });
});

// ---------------------------------------------------------------------------------- backward

/** dx = (a·dy + b·(x − center)) + c in float32, the same bits; out of place, over dy and over x. */
function eachBackward(
  rows: Rows,
  [center, a, b, c]: Float32Array[],
  feature: (i: number) => number,
  columns: number,
  call: (x: number, dy: number, dx: number, table: number) => void,
): void {
  const dy = { ...rows, values: normals(rows.values.length, 9) };
  const exact = rows.values.map((x, i) => {
    const j = feature(i);
    return f(f(f(a[j] * dy.values[i]) + f(b[j] * f(x - center[j]))) + c[j]);
  });
  for (const place of ["out of place", "over dy", "over x"]) {
    const [dx] = onEveryPaint((memory) => {
      const lanes = memory.input(table([center, a, b, c], columns));
      const from = place === "over x" ? memory.outputRows(rows) : memory.rows(rows);
      const beside = place === "over dy" ? memory.outputRows(dy) : memory.rows(dy);
      const blank = { ...rows, values: new Float32Array(rows.values.length) };
      const out = place === "over x" ? from : place === "over dy" ? beside : memory.outputRows(blank);
      memory.run(() => call(from, beside, out, lanes));
      return [rowsAt(out, rows)];
    });
    expectSameBits(dx, exact);
  }
}

const four = (features: number) => [1, 2, 3, 5].map((seed) => normals(features, seed));

describe("backward", () => {
  test.each(COLUMNS)("columns: %i", (columns) => {
    for (const count of ROWS) {
      eachPitch(normals(count * columns, 4), columns, (rows) => {
        eachBackward(
          rows,
          four(columns),
          (i) => i % columns,
          columns,
          (x, dy, dx, table) => kernels.columnsBackward(x, dy, dx, count, columns, 1, 4 * rows.pitch, table),
        );
      });
    }
  });

  test.each(TILES)("tiles of %i features by %i, %i copies", (features, inner, copies) => {
    const row = features * inner;
    for (const count of rowsOfTiles(copies)) {
      const rows = { values: normals(count * row, 4), row, pitch: row };
      eachBackward(
        rows,
        four(row),
        (i) => i % row,
        row * copies,
        (x, dy, dx, table) => kernels.columnsBackward(x, dy, dx, count, row, copies, 4 * row, table),
      );
    }
  });

  test.each(PLANES)("planes of %i", (inner) => {
    for (const [images, planes, first] of [
      [1, 1, 0],
      [1, 2, 7],
      [3, 5, 6],
    ]) {
      const values = normals(images * planes * inner, 4);
      const row = values.length;
      const feature = (i: number) => first + (Math.floor(i / inner) % planes);
      const all = first + planes;
      eachBackward({ values, row, pitch: row }, four(all), feature, all, (x, dy, dx, table) =>
        kernels.planesBackward(x, dy, dx, images, planes, inner, table, first),
      );
    }
  });
});
