// node arrow.js [--minmax] [in.arrow out.arrow]
//
// Scales the columns of numbers of an Apache Arrow table, batch by batch; the other columns stay as they are. Without
// files it makes a table of its own.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  DataType,
  Float64,
  makeData,
  makeVector,
  Precision,
  Table,
  tableFromIPC,
  tableToIPC,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import { MinMaxScaler, StandardScaler } from "simdnorm";

const {
  values: { minmax },
  positionals: [input, output],
} = parseArgs({ allowPositionals: true, options: { minmax: { type: "boolean" } } });

const table = input === undefined ? readings() : tableFromIPC(readFileSync(input));
const names = table.schema.fields.filter(({ type }) => isNumber(type)).map(({ name }) => name);

// ---- The recipe: columns are features, and batches are parts of the data.

const batches = table.batches.filter(({ numRows }) => numRows > 0);
const scaler = minmax ? new MinMaxScaler({ axis: 0 }) : new StandardScaler({ axis: 0 });
for (const batch of batches) scaler.partialFit(columnsOf(batch).map(toNumbers));

const parts = batches.map((batch) => {
  const columns = columnsOf(batch);
  return scaler.transform(columns.map(toNumbers)).map((numbers, j) => toData(numbers, columns[j]));
});
const vectors = names.map((name, j) => [name, new Vector(parts.map((part) => part[j]))]);
const scaled = table.assign(new Table(Object.fromEntries(vectors)));

// ---- Arrow's memory, read and made.

function isNumber(type) {
  return DataType.isInt(type) || (DataType.isFloat(type) && type.precision !== Precision.HALF);
}

/** A batch has each column in one piece. */
function columnsOf(batch) {
  return names.map((name) => batch.getChild(name).data[0]);
}

/** Nulls as NaN, which a scaler ignores: `values`, like `toArray()`, has a 0 there, or what the writer left. */
function toNumbers({ values, length, nullCount, nullBitmap, offset }) {
  const numbers = new Float64Array(length);
  // 64-bit integers are BigInt.
  for (let i = 0; i < length; i++) numbers[i] = Number(values[i]);
  if (nullCount === 0) return numbers;
  for (let i = 0, bit = offset; i < length; i++, bit++) {
    if (((nullBitmap[bit >> 3] >> (bit & 7)) & 1) === 0) numbers[i] = Number.NaN;
  }
  return numbers;
}

/** Numbers as a piece of a column; what was null in another stays null. Nothing is copied. */
function toData(numbers, { length, nullCount, nullBitmap, offset }) {
  return makeData({ type: new Float64(), data: numbers, length, nullCount, nullBitmap, offset });
}

/**
 * Three hours of a sensor, a batch each, but for five seconds in which it warms up: one reading a second, each tenth
 * temperature missing.
 */
function readings() {
  const start = Date.UTC(2026, 0, 1);
  const hour = (h) => {
    const seconds = Float64Array.from({ length: 3600 }, (_, i) => 3600 * h + i);
    const temperature = Array.from(seconds, (s) => (s % 10 === 7 ? null : 20 + 5 * Math.sin(s / 1000)));
    return new Table({
      time: makeVector(seconds.map((s) => start + 1000 * s)),
      temperature: vectorFromArray(temperature, new Float64()),
      battery: makeVector(Int32Array.from(seconds, (s) => 4200 - (s >> 5))),
      sensor: vectorFromArray(Array(3600).fill("north")),
    });
  };
  return hour(0).concat(hour(1), hour(2)).slice(5);
}

// ---- What came out.

if (output !== undefined) writeFileSync(output, tableToIPC(scaled, "file"));

console.log(`${table.numRows} rows in ${batches.length} batches`);
console.table(
  names.map((column, j) => {
    const { nullCount: nulls } = table.getChild(column);
    if (minmax) return { column, nulls, min: scaler.min[j], max: scaler.max[j] };
    return { column, nulls, mean: scaler.mean[j], scale: scaler.scale[j] };
  }),
);
console.log("scaled, the first of them:");
console.table(Array.from(scaled.slice(0, 8), (row) => row.toJSON()));
