// node csv.js in.csv out.csv [--keep column]…
//
// Standardizes the columns of numbers of a CSV file. Gaps stay gaps; other columns, and those to keep, stay as they are.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { StandardScaler } from "simdnorm";

const {
  values: { keep },
  positionals: [input, output],
} = parseArgs({
  allowPositionals: true,
  options: { keep: { type: "string", multiple: true, default: [] } },
});
if (output === undefined) throw new Error("expected node csv.js in.csv out.csv [--keep column]…");

/** What is written where a number is missing. */
const isGap = (field) => ["", "NA", "NaN", "null"].includes(field.trim());

/** A gap is NaN, which a scaler ignores: Number("") would be 0. */
const numberOf = (field) => (isGap(field) ? Number.NaN : Number(field));

/** Whether a column has numbers, and beside them only gaps. */
const isNumeric = (fields) =>
  !fields.every(isGap) && fields.every((field) => isGap(field) || Number.isFinite(Number(field)));

const [names = [], ...rows] = parse(readFileSync(input), { bom: true });
const unknown = keep.find((name) => !names.includes(name));
if (unknown !== undefined) throw new Error(`--keep: expected ${names.join(", ")}, got ${unknown}`);
const numeric = Array.from(names.keys()).filter(
  (j) => !keep.includes(names[j]) && isNumeric(rows.map((row) => row[j])),
);
if (numeric.length === 0) throw new Error(`${input}: expected a column of numbers, got none`);

// With axis 0 each array is a feature.
const scaler = new StandardScaler({ axis: 0 });
const scaled = scaler.fitTransform(numeric.map((j) => Float64Array.from(rows, (row) => numberOf(row[j]))));
for (const [k, j] of numeric.entries()) {
  for (const [i, row] of rows.entries()) if (!Number.isNaN(scaled[k][i])) row[j] = scaled[k][i];
}
writeFileSync(output, stringify([names, ...rows]));

console.log(`${rows.length} rows, ${names.length - numeric.length} of ${names.length} columns as they were`);
console.table(
  numeric.map((j, k) => ({
    column: names[j],
    gaps: scaled[k].filter(Number.isNaN).length,
    mean: scaler.mean[k],
    scale: scaler.scale[k],
  })),
);
