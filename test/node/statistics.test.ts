// The kernels of statistics, of the debug and of the release module, on painted memory: see painted.ts.

import { describe, expect, test } from "vitest";
import { type Exact, exactly } from "../exact.js";
import { extrema, standard } from "../reference.js";
import {
  doublesAt,
  type Floats,
  normals,
  onEveryPaint,
  type Painted,
  padded,
  type Rows,
  rowsOfTiles,
  type Statistics,
  statisticsOf,
  TILES,
  within,
} from "./painted.js";

const modules = [statisticsOf("debug/statistics.wasm"), statisticsOf("release/statistics.wasm")];

/** Zero, one and two groups of 4 and of 8 columns, with every remainder. */
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17];

/** Blocks of 4 streams end at 64, 320, 832 and 1344 rows, with every remainder. */
const ROWS = [1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 66, 67, 68, 319, 321, 323, 324, 832, 835, 1400];

/** Blocks of a plane end at 64, 320, 1344 and 2368 values; turns of 8 and of 2, with every remainder. */
const PLANES = [
  1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 66, 67, 71, 319, 320, 321, 1344, 1345, 2369,
];

/** N(10⁴, 1): without their shift, sums would lose all of the variance. */
const far = (length: number) => normals(length, 4).map((value) => 1e4 + value);

const holed = (values: Float32Array, every: number) =>
  values.map((value, i) => (i % every === every - 1 ? Number.NaN : value));

/** The first value so far from the others that sums about it would lose their variance. */
function outlierFirst(length: number): Float32Array {
  const values = normals(length, 5);
  values[0] = 1e6;
  return values;
}

/** Kinds of data, each in both kinds of values; of float64 with digits that float32 has not. */
function eachKind(length: number, visit: (values: Floats, skip: boolean) => void): void {
  for (const [values, skip] of [
    [far(length), false],
    [outlierFirst(length), true],
    [holed(far(length), 3), true],
    [holed(outlierFirst(length), 67), true],
  ] as const) {
    visit(values, skip);
    visit(
      Float64Array.from(values, (value, i) => value + 1e-9 * (i % 7)),
      skip,
    );
  }
}

/** The promise: count exact, mean within 10⁻¹² of the largest value, variance within 10⁻¹² of itself. */
function checkMoments([count, mean, m2]: Floats[], exact: readonly Exact[]): void {
  const present = exact.map((one) => ({
    ...one,
    mean: one.count ? one.mean : 0,
    m2: one.count ? one.variance * one.count : 0,
  }));
  expect(Array.from(count)).toEqual(present.map((one) => one.count));
  within(
    mean,
    present.map((one) => one.mean),
    (_, j) => 1e-12 * present[j].largest,
  );
  within(
    m2,
    present.map((one) => one.m2),
    (value) => 1e-12 * value,
  );
}

interface Reduction {
  features: number;
  inner: number;
  columns: number;
  /** Takes rows, or images, from the memory at x, which are not the first ones but for seen = 0. */
  take(statistics: Statistics, x: number, rows: number, work: number, seen: number): void;
}

/** Sums and state of so many columns. */
const workOf = (memory: Painted, columns: number) => memory.room(4 + 72 * Math.ceil(columns / 4));

/** The moments of rows in one part, and in two of which the second resumes the first, in either module. */
function checkReduction(rows: Rows<Floats>, { features, inner, columns, take }: Reduction): void {
  const outer = rows.values.length / rows.row;
  const exact = exactly(rows.values, { outer, features, inner });
  for (const { statistics, space } of modules) {
    for (const cut of new Set([outer, outer >> 1, outer - 1])) {
      if (cut === 0) continue;
      const found = onEveryPaint((memory) => {
        const work = workOf(memory, columns);
        const results = [0, 1, 2].map(() => memory.room(2 * features));
        const parts = [
          [0, cut],
          [cut, outer],
        ].filter(([begin, end]) => begin < end);
        const places = parts.map(([begin, end]) =>
          memory.rows({ ...rows, values: rows.values.subarray(begin * rows.row, end * rows.row) }),
        );
        memory.run(() => {
          statistics.noMoments(work, columns);
          for (const [i, [begin, end]] of parts.entries()) {
            take(statistics, places[i], end - begin, work, begin * inner);
          }
          const [count, mean, m2] = results;
          statistics.collectMoments(
            work,
            columns,
            features,
            columns === features ? 1 : inner,
            count,
            mean,
            m2,
          );
        });
        return results.map((pointer) => doublesAt(pointer, features, space));
      }, space);
      checkMoments(found, exact);
    }
  }
}

describe("moments", () => {
  test.each(COLUMNS)("columns: %i", (columns) => {
    for (const count of [1, 4, 5].includes(columns) ? ROWS : [3, 70, 339]) {
      eachKind(count * columns, (values, skip) => {
        for (const pitch of [columns, columns + 5]) {
          const bytes = values.BYTES_PER_ELEMENT;
          checkReduction(
            { values, row: columns, pitch },
            {
              ...{ features: columns, inner: 1, columns },
              take: (statistics, x, rows, work) =>
                statistics.columnsExact(x, rows, columns, 1, bytes * pitch, bytes, skip, work),
            },
          );
        }
      });
    }
  });

  test.each(TILES)("tiles of %i features by %i, %i copies", (features, inner, copies) => {
    const row = features * inner;
    for (const count of rowsOfTiles(copies)) {
      eachKind(count * row, (values, skip) => {
        const bytes = values.BYTES_PER_ELEMENT;
        // Only the last part has rows that are not as many as are read as one.
        const rows = { values, row, pitch: row };
        checkReduction(rows, {
          ...{ features, inner, columns: row * copies },
          take(statistics, x, taken, work, seen) {
            const whole = taken - (taken % copies);
            if (whole > 0 && seen === 0)
              statistics.columnsExact(x, whole, row, copies, bytes * row, bytes, skip, work);
            const done = seen === 0 ? whole : 0;
            if (done === taken) return;
            statistics.columnsExact(
              x + bytes * row * done,
              taken - done,
              row,
              copies,
              bytes * row,
              bytes,
              skip,
              work,
            );
          },
        });
      });
    }
  });

  test.each(PLANES)("planes of %i", (inner) => {
    for (const [images, planes] of [
      [1, 1],
      [2, 2],
      [3, 5],
      [1, 9],
    ]) {
      const row = planes * inner;
      eachKind(images * row, (values, skip) => {
        const bytes = values.BYTES_PER_ELEMENT;
        checkReduction(
          { values, row, pitch: row },
          {
            ...{ features: planes, inner, columns: planes },
            // All but the first feature in a call of their own.
            take(statistics, x, rows, work, seen) {
              for (let i = 0; i < rows; i++) {
                const at = x + bytes * row * i;
                const before = seen + i * inner;
                statistics.planesExact(at, 1, 1, inner, bytes, skip, work, planes, 0, before);
                if (planes === 1) continue;
                const second = at + bytes * inner;
                statistics.planesExact(second, 1, planes - 1, inner, bytes, skip, work, planes, 1, before);
              }
            },
          },
        );
        checkReduction(
          { values, row, pitch: row },
          {
            ...{ features: planes, inner, columns: planes },
            take: (statistics, x, rows, work, seen) =>
              statistics.planesExact(x, rows, planes, inner, bytes, skip, work, planes, 0, seen),
          },
        );
      });
    }
  });
});

describe("extrema", () => {
  /** Exact, in either module and both kinds of values. */
  function checkExtrema(
    values: Float32Array,
    pitch: number,
    features: number,
    inner: number,
    columns: number,
    take: (statistics: Statistics, x: number, rows: number, bytes: number, table: number) => void,
  ) {
    const row = features * inner;
    const outer = values.length / row;
    const { min, max } = extrema(values, { outer, features, inner });
    const { count } = standard(values, { outer, features, inner });
    for (const { statistics, space } of modules) {
      for (const kind of [values, Float64Array.from(values)]) {
        const bytes = kind.BYTES_PER_ELEMENT;
        const [found, least, most] = onEveryPaint((memory) => {
          const x = memory.rows({ values: kind, row, pitch });
          const table = memory.room(6 * padded(columns));
          const results = [0, 1, 2].map(() => memory.room(2 * features));
          memory.run(() => {
            statistics.noExtrema(table, columns, bytes);
            take(statistics, x, outer, bytes, table);
            const [counts, lowest, highest] = results;
            const side = columns === features ? 1 : inner;
            statistics.collectExtrema(table, columns, features, side, bytes, counts, lowest, highest);
          });
          return results.map((pointer) => doublesAt(pointer, features, space));
        }, space);
        expect(found).toEqual(count);
        expect(least).toEqual(min.map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value)));
        expect(most).toEqual(max.map((value) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value)));
      }
    }
  }

  /** Of every seventh feature or so nothing is left. */
  const kinds = (length: number) => [
    normals(length, 4),
    holed(normals(length, 4), 3),
    holed(normals(length, 4), 7),
  ];

  test.each(COLUMNS)("columns: %i", (columns) => {
    for (const count of [...ROWS, 1000]) {
      for (const values of kinds(count * columns)) {
        for (const pitch of [columns, columns + 5]) {
          checkExtrema(values, pitch, columns, 1, columns, (statistics, x, rows, bytes, table) =>
            statistics.columnsExtrema(x, rows, columns, 1, bytes * pitch, bytes, table),
          );
        }
      }
    }
  });

  test.each(TILES)("tiles of %i features by %i, %i copies", (features, inner, copies) => {
    const row = features * inner;
    for (const count of rowsOfTiles(copies)) {
      for (const values of kinds(count * row)) {
        checkExtrema(values, row, features, inner, row * copies, (statistics, x, rows, bytes, table) =>
          statistics.columnsExtrema(x, rows, row, copies, bytes * row, bytes, table),
        );
      }
    }
  });

  test.each(PLANES)("planes of %i", (inner) => {
    for (const [images, planes] of [
      [1, 1],
      [3, 5],
      [1, 17],
    ]) {
      const row = planes * inner;
      for (const values of kinds(images * row)) {
        checkExtrema(values, row, planes, inner, planes, (statistics, x, rows, bytes, table) => {
          for (let i = 0; i < rows; i++) {
            const at = x + bytes * row * i;
            statistics.planesExtrema(at, 1, 1, inner, bytes, table, 0);
            if (planes > 1) {
              statistics.planesExtrema(at + bytes * inner, 1, planes - 1, inner, bytes, table, 1);
            }
          }
        });
        checkExtrema(values, row, planes, inner, planes, (statistics, x, rows, bytes, table) =>
          statistics.planesExtrema(x, rows, planes, inner, bytes, table, 0),
        );
      }
    }
  });
});
