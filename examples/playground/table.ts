// A table of numbers, and what it was read from: columns that are not numbers are kept as they are.

import { dsvFormat } from "d3-dsv";

export interface Table {
  readonly names: readonly string[];
  readonly rows: number;
  /** Row-major; a gap is NaN. */
  readonly values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly gaps: number;
  /** Names of the columns that stay as they are: no numbers, or a label. */
  readonly others: readonly string[];
  /** The table as CSV, with these values in the place of its own; gaps stay as they were. */
  write(values: ArrayLike<number>): Blob;
}

/** What is written where a number is missing, as pandas knows it. */
const gaps = new Set(["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None"]);

const isGap = (field: string | undefined) => field === undefined || gaps.has(field.trim());

/** Reads a field: NaN where it is a gap, undefined where it is something else. */
type Reader = (field: string | undefined) => number | undefined;

function readerOf(comma: boolean): Reader {
  return (field) => {
    // Number("") would be 0.
    if (field === undefined || isGap(field)) return Number.NaN;
    // Beside decimal commas a point stands between thousands: whether it does is not guessed.
    if (comma && field.includes(".")) return undefined;
    const value = Number(comma ? field.replace(",", ".") : field);
    return Number.isFinite(value) ? value : undefined;
  };
}

/** As much of a text as is shown: a file may be anything. */
const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

/** What separates the fields: the one of these that the first line has most of. */
function delimiterOf(text: string): string {
  const [line = ""] = text.split("\n", 1);
  const counts = [",", ";", "\t"].map((mark) => ({ mark, count: line.split(mark).length }));
  return counts.reduce((most, other) => (other.count > most.count ? other : most)).mark;
}

/** Whether the first row names the columns: none of it is a number, or one column has numbers everywhere else. */
function hasHeader([first = [], ...rest]: string[][], read: Reader): boolean {
  const isNumber = (field: string | undefined) => !Number.isNaN(read(field) ?? Number.NaN);
  if (!first.some(isNumber)) return first.some((field) => !isGap(field));
  return first.some(
    (field, j) =>
      !isNumber(field) &&
      rest.some((row) => isNumber(row[j])) &&
      rest.every((row) => read(row[j]) !== undefined),
  );
}

/**
 * Reads CSV: with commas, semicolons or tabs, with or without names of the columns, and with decimal commas where
 * commas do not separate.
 *
 * @param label a column that stays as it is, although it is numbers
 * @throws RangeError if no column is one of numbers
 */
export function readTable(text: string, label?: string): Table {
  const delimiter = delimiterOf(text);
  const format = dsvFormat(delimiter);
  const all = format.parseRows(text.replace(/^\uFEFF/, "").trimEnd());
  const comma = delimiter !== "," && all.some((row) => row.some((field) => /^ *[-+]?\d*,\d+ *$/.test(field)));
  const read = readerOf(comma);
  const header = hasHeader(all, read) ? all[0] : undefined;
  const rows = header ? all.slice(1) : all;
  const nameOf = (j: number) => cut(header?.[j]?.trim() || `column ${j + 1}`);

  const columns = Array.from(all[0] ?? [], (_, j) => j);
  const numeric = columns.filter(
    (j) =>
      (label === undefined || header?.[j] !== label) &&
      rows.some((row) => !isGap(row[j])) &&
      rows.every((row) => read(row[j]) !== undefined),
  );
  if (rows.length === 0) throw new RangeError("there are no rows in it");
  if (numeric.length === 0) {
    const found = columns.slice(0, 3).map((j) => {
      const field = rows.find((row) => read(row[j]) === undefined)?.[j] ?? "nothing";
      return `${nameOf(j)} has ${cut(field)}`;
    });
    throw new RangeError(`no column of it is numbers and gaps alone: ${found.join("; ")}`);
  }
  const values = new Float64Array(rows.length * numeric.length);
  for (const [i, row] of rows.entries()) {
    for (const [k, j] of numeric.entries()) values[i * numeric.length + k] = read(row[j]) ?? Number.NaN;
  }

  return {
    names: numeric.map(nameOf),
    rows: rows.length,
    values,
    gaps: values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0),
    others: columns.filter((j) => !numeric.includes(j)).map(nameOf),
    write(normalized) {
      const written = rows.map((row, i) => {
        const fields = [...row];
        for (const [k, j] of numeric.entries()) {
          if (isGap(row[j])) continue;
          const value = String(normalized[i * numeric.length + k]);
          fields[j] = comma ? value.replace(".", ",") : value;
        }
        return fields;
      });
      const text = format.formatRows(header ? [header, ...written] : written);
      return new Blob([text, "\n"], { type: "text/csv" });
    },
  };
}
