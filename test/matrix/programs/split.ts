// A train/test split of rows: the scaler sees the training rows alone, is saved, and scales the rest elsewhere.

import { MinMaxScaler } from "simdnorm";
import { worst } from "./worst.js";

const rows = Array.from({ length: 500 }, (_, i) => [
  18 + ((i * 37) % 60),
  1200 + ((i * 7919) % 5000) / 3,
  i % 2,
]);
const train = rows.filter((_, i) => (i * 7) % 5 > 0);
const test = rows.filter((_, i) => (i * 7) % 5 === 0);

const scaler = new MinMaxScaler({ range: [-1, 1], clip: true }).fit(train);
const saved = JSON.stringify(scaler);

const loaded = MinMaxScaler.fromJSON(JSON.parse(saved));
const scaled = loaded.transform(test);

// y = (x − min)/(max − min)·2 − 1 with the ends of the training rows, kept within [−1, 1].
const ends = rows[0]!.map((_, j) => {
  const column = train.map((row) => row[j]!);
  return { min: Math.min(...column), max: Math.max(...column) };
});
const expected = test.map((row) =>
  row.map((value, j) => {
    const { min, max } = ends[j]!;
    return Math.min(Math.max(((value - min) / (max - min)) * 2 - 1, -1), 1);
  }),
);
const difference = worst(scaled.flat(), expected.flat(), 1e-12);
const back = worst(loaded.inverseTransform(loaded.transform(train)).flat(), train.flat(), 1e-9);
console.log(
  `split: ${train.length} rows fitted, ${test.length} scaled within ${difference}, undone within ${back}`,
);
