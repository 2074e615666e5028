// Columns of an Apache Arrow table: nulls are gaps, other columns stay, and the result is a table again.

import { Float64, Table, tableFromArrays, tableFromIPC, tableToIPC, vectorFromArray } from "apache-arrow";
import { StandardScaler } from "simdnorm";
import { worst } from "./worst.js";

const made = new Table({
  station: vectorFromArray(["A", "B", "A", "C", "B"]),
  time: vectorFromArray(
    [1767225600000, 1767225601000, 1767225602000, 1767225603000, 1767225604000],
    new Float64(),
  ),
  temperature: vectorFromArray([20.5, null, 21.25, 19, 22.75], new Float64()),
});
const table = tableFromIPC(tableToIPC(made));

const names = ["time", "temperature"];
const columns = names.map((name) => {
  const column: Iterable<number | null> = table.getChild(name) ?? [];
  return Float64Array.from(column, (value) => value ?? Number.NaN);
});
const scaler = new StandardScaler({ axis: 0 });
const scaled = scaler.fitTransform(columns);
const result = table.assign(tableFromArrays(Object.fromEntries(names.map((name, j) => [name, scaled[j]!]))));

// z = (x − mean)/√variance of the values that are there.
const expected = columns.map((column) => {
  const present = column.filter((value) => !Number.isNaN(value));
  const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
  const variance = present.reduce((sum, value) => sum + (value - mean) ** 2, 0) / present.length;
  return Array.from(column, (value) => (value - mean) / Math.sqrt(variance));
});
const got = names.map((name) => Array.from(result.getChild(name)?.toArray() as Float64Array));
const difference = worst(got.flat(), expected.flat(), 1e-12);
const fields = result.schema.fields.map(({ name, type }) => `${name}: ${type}`);
console.log(`arrow: ${fields.join(", ")}, within ${difference} of the formula`);
