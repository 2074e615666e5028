// npm run bench -- rows: scalers on rows and columns of numbers, next to the loops that one would write. Nothing here touches
// WebAssembly, so that both run in one process.

import { MinMaxScaler, StandardScaler } from "simdnorm";
import { Contender } from "./contender.js";

const ROUNDS = 15;

/** The obvious loops: two passes, then a new array per row. */
const naive = {
  fit(rows) {
    const features = rows[0].length;
    const mean = new Array(features).fill(0);
    const scale = new Array(features).fill(0);
    for (const row of rows) for (let j = 0; j < features; j++) mean[j] += row[j] / rows.length;
    for (const row of rows)
      for (let j = 0; j < features; j++) scale[j] += (row[j] - mean[j]) ** 2 / rows.length;
    return { mean, scale: scale.map(Math.sqrt) };
  },
  ends(rows) {
    const min = rows[0].slice();
    const max = rows[0].slice();
    for (const row of rows) {
      for (let j = 0; j < row.length; j++) {
        min[j] = Math.min(min[j], row[j]);
        max[j] = Math.max(max[j], row[j]);
      }
    }
    return { min, max };
  },
  transform: (rows, { mean, scale }) =>
    rows.map((row) => row.map((value, j) => (value - mean[j]) / scale[j])),
};

/** The same of columns. */
const naiveColumns = {
  fit: (columns) =>
    columns.map((column) => {
      let mean = 0;
      for (let i = 0; i < column.length; i++) mean += column[i] / column.length;
      let squares = 0;
      for (let i = 0; i < column.length; i++) squares += (column[i] - mean) ** 2;
      return { mean, scale: Math.sqrt(squares / column.length) };
    }),
  ends: (columns) =>
    columns.map((column) => {
      let [min] = column;
      let [max] = column;
      for (let i = 0; i < column.length; i++) {
        min = Math.min(min, column[i]);
        max = Math.max(max, column[i]);
      }
      return { min, max };
    }),
  transform: (columns, fitted) =>
    columns.map((column, j) => {
      const { mean, scale } = fitted[j];
      return column.map((value) => (value - mean) / scale);
    }),
};

for (const [count, features] of [
  [1000, 10],
  [100_000, 10],
  [10_000, 100],
]) {
  const rows = Array.from({ length: count }, (_, i) =>
    Array.from({ length: features }, (_, j) => Math.sin(i * features + j) + j),
  );
  const gaps = rows.map((row, i) => (i % 100 === 0 ? row.map(() => Number.NaN) : row));
  const columns = rows[0].map((_, j) => rows.map((row) => row[j]));
  const arrays = columns.map((column) => Float64Array.from(column));
  const standard = new StandardScaler().fit(rows);
  const upright = new StandardScaler({ axis: 0 }).fit(columns);
  const minmax = new MinMaxScaler().fit(rows);
  const fitted = naive.fit(rows);
  const fittedColumns = naiveColumns.fit(columns);
  const calls = {
    "StandardScaler.fit": [() => new StandardScaler().fit(rows), () => naive.fit(rows)],
    "the same, with NaN in every feature": [() => new StandardScaler().fit(gaps), () => naive.fit(rows)],
    "MinMaxScaler.fit": [() => new MinMaxScaler().fit(rows), () => naive.ends(rows)],
    "StandardScaler.transform": [() => standard.transform(rows), () => naive.transform(rows, fitted)],
    "MinMaxScaler.transform": [() => minmax.transform(rows), () => naive.transform(rows, fitted)],
    "StandardScaler.fitTransform": [
      () => new StandardScaler().fitTransform(rows),
      () => naive.transform(rows, naive.fit(rows)),
    ],
    "columns: StandardScaler.fit": [
      () => new StandardScaler({ axis: 0 }).fit(columns),
      () => naiveColumns.fit(columns),
    ],
    "columns: MinMaxScaler.fit": [
      () => new MinMaxScaler({ axis: 0 }).fit(columns),
      () => naiveColumns.ends(columns),
    ],
    "columns: StandardScaler.transform": [
      () => upright.transform(columns),
      () => naiveColumns.transform(columns, fittedColumns),
    ],
    "Float64Array columns: StandardScaler.fit": [
      () => new StandardScaler({ axis: 0 }).fit(arrays),
      () => naiveColumns.fit(columns),
    ],
  };
  const contenders = Object.values(calls)
    .flat()
    .map((call) => new Contender(call));
  for (let round = 0; round < ROUNDS; round++) for (const contender of contenders) contender.round();

  console.log(`\n${count} rows of ${features}${" ".repeat(24)}ns per value   × naive`);
  for (const [i, name] of Object.keys(calls).entries()) {
    const [ours, theirs] = [contenders[2 * i], contenders[2 * i + 1]].map(
      ({ best }) => (1e9 * best) / (count * features),
    );
    console.log(
      `  ${name.padEnd(42)} ${ours.toFixed(2).padStart(8)} ${(theirs / ours).toFixed(2).padStart(9)}`,
    );
  }
}
