// A CSV file with gaps: its numbers are standardized, its gaps stay gaps.

import { StandardScaler } from "simdnorm";
import { worst } from "./worst.js";

const csv = `day,temperature,rain,pressure
2026-01-01,3.1,0,1021.3
2026-01-02,2.4,,1018.9
2026-01-03,,4.2,1003.5
2026-01-04,-0.6,11.8,998.2
2026-01-05,1.9,0.4,
2026-01-06,4.0,0,1015.0`;

const [header = "", ...lines] = csv.split("\n");
const names = header.split(",").slice(1);
const rows = lines.map((line) =>
  line
    .split(",")
    .slice(1)
    .map((field) => (field === "" ? Number.NaN : Number(field))),
);

const scaler = new StandardScaler();
const scaled = scaler.fitTransform(rows);

// z = (x − mean)/√variance of the values that are there.
const expected = names.map((_, j) => {
  const column = rows.map((row) => row[j]!);
  const present = column.filter((value) => !Number.isNaN(value));
  const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
  const variance = present.reduce((sum, value) => sum + (value - mean) ** 2, 0) / present.length;
  return column.map((value) => (value - mean) / Math.sqrt(variance));
});
const columns = names.map((_, j) => scaled.map((row) => row[j]!));
const difference = worst(columns.flat(), expected.flat(), 1e-12);
const gaps = columns.map((column) => column.filter(Number.isNaN).length);
console.log(`csv: ${rows.length} rows, gaps ${gaps} of ${names} kept, within ${difference} of the formula`);
