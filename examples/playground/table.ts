// A table of numbers, and what it was read from: columns that are not numbers are kept as they are.

import { dsvFormat } from "d3-dsv";

export interface Table {
  readonly names: readonly string[];
  readonly rows: number;
  /** Row-major; a gap is NaN. */
  readonly values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly gaps: number;
  /** Columns that stay as they are: no numbers, or a label. */
  readonly others: number;
  /** The table as CSV, with these values in the place of its own; gaps stay as they were. */
  write(values: ArrayLike<number>): Blob;
}

/** What is written where a number is missing. */
const isGap = (field: string | undefined) =>
  field === undefined || ["", "NA", "NaN", "nan", "null"].includes(field.trim());

const isNumber = (field: string | undefined) => !isGap(field) && Number.isFinite(Number(field));

/** Number("") would be 0. */
const numberOf = (field: string | undefined) => (isGap(field) ? Number.NaN : Number(field));

/** What separates the fields: the one of these that the first line has most of. */
function delimiterOf(text: string): string {
  const [line = ""] = text.split("\n", 1);
  const counts = [",", ";", "\t"].map((mark) => ({ mark, count: line.split(mark).length }));
  return counts.reduce((most, other) => (other.count > most.count ? other : most)).mark;
}

/** Whether the first row names the columns: one of them has no number there, and numbers everywhere else. */
function hasHeader([first = [], ...rest]: string[][]): boolean {
  return first.some(
    (field, j) =>
      !isNumber(field) &&
      rest.some((row) => isNumber(row[j])) &&
      rest.every((row) => isNumber(row[j]) || isGap(row[j])),
  );
}

/**
 * Reads CSV: with commas, semicolons or tabs, with or without names of the columns.
 *
 * @param label a column that stays as it is, although it is numbers
 * @throws RangeError if no column is one of numbers
 */
export function readTable(text: string, label?: string): Table {
  const format = dsvFormat(delimiterOf(text));
  const all = format.parseRows(text.replace(/^\uFEFF/, "").trimEnd());
  const header = hasHeader(all) ? all[0] : undefined;
  const rows = header ? all.slice(1) : all;
  const width = all[0]?.length ?? 0;

  const columns = Array.from({ length: width }, (_, j) => j);
  const numeric = columns.filter(
    (j) =>
      (label === undefined || header?.[j] !== label) &&
      rows.some((row) => isNumber(row[j])) &&
      rows.every((row) => isNumber(row[j]) || isGap(row[j])),
  );
  if (numeric.length === 0) throw new RangeError("no column of it is numbers and gaps alone");
  const values = new Float64Array(rows.length * numeric.length);
  for (const [i, row] of rows.entries()) {
    for (const [k, j] of numeric.entries()) values[i * numeric.length + k] = numberOf(row[j]);
  }

  return {
    names: numeric.map((j) => header?.[j]?.trim() || `column ${j + 1}`),
    rows: rows.length,
    values,
    gaps: values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0),
    others: width - numeric.length,
    write(normalized) {
      const written = rows.map((row, i) => {
        const fields = [...row];
        for (const [k, j] of numeric.entries()) {
          if (!isGap(row[j])) fields[j] = String(normalized[i * numeric.length + k]);
        }
        return fields;
      });
      const text = format.formatRows(header ? [header, ...written] : written);
      return new Blob([text, "\n"], { type: "text/csv" });
    },
  };
}
