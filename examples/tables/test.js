// Each program on files made by the library that it reads with, against the formula in float64.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import {
  Float32,
  Float64,
  Int32,
  Int64,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";

const folder = mkdtempSync(join(tmpdir(), "simdnorm's tables-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name) => join(folder, name);

async function run(program, ...args) {
  const script = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args]);
  return stdout;
}

// ------------------------------------------------------------------------------ samples

const ROWS = 10_000;

/** Each tenth value is missing in the columns that have gaps. */
const gapped = (value) => (i) => (i % 10 === 7 ? null : value(i));

/** Columns of numbers, with names that SQL has to quote. */
const samples = {
  'time, "ms"': (i) => 1_767_225_600_000 + 1000 * i,
  temperature: gapped((i) => 20 + 5 * Math.sin(i / 100)),
  id: gapped((i) => 1e15 + ((i * 7919) % ROWS)),
  group: (i) => (i * 31) % 100,
  constant: () => 5,
};
const label = (i) => (i % 3 === 0 ? "" : ` a "label", of ${i}`);

/** The values of some rows. */
function column(value, from = 0, to = ROWS) {
  return Array.from({ length: to - from }, (_, i) => value(from + i));
}

// ----------------------------------------------------------------------------- formulas

/** Added in pairs, then in pairs of pairs, so that rounding grows with log n. */
function sum(values) {
  if (values.length <= 1) return values[0] ?? 0;
  const half = values.length >> 1;
  return sum(values.slice(0, half)) + sum(values.slice(half));
}

/** z = (x − mean)/√variance, a gap staying one; from the first value on, so that timestamps lose nothing. */
function standardized(values) {
  const [first, ...rest] = values.filter((v) => v !== null);
  const present = [0, ...rest.map((v) => v - first)];
  const mean = sum(present) / present.length;
  const scale = Math.sqrt(sum(present.map((d) => (d - mean) ** 2)) / present.length) || 1;
  const z = values.map((v) => (v === null ? null : (v - first - mean) / scale));
  return { z, size: Math.abs(first + mean) / scale };
}

/** y = (x − min)/(max − min), a gap staying one. */
function ranged(values) {
  const present = values.filter((v) => v !== null);
  const min = Math.min(...present);
  const width = Math.max(...present) - min || 1;
  return values.map((v) => (v === null ? null : (v - min) / width));
}

/**
 * Within the 10⁻¹² of the formula that scalers promise, of z and of a deviation; a mean is a float64, rounded once per
 * part and once more where that is merged: per part 2⁻⁵² of it, in deviations.
 */
function assertStandardized(actual, values, parts) {
  const { z, size } = standardized(values);
  const slack = parts * 2 ** -52 * size;
  assert.equal(actual.length, z.length);
  for (const [i, exact] of z.entries()) {
    if (exact === null) assert.equal(actual[i], null, `row ${i}`);
    else {
      const error = Math.abs(actual[i] - exact);
      assert.ok(error <= 1e-12 * (1 + Math.abs(exact)) + slack, `row ${i}: ${actual[i]}, not ${exact}`);
    }
  }
}

// -------------------------------------------------------------------------------- arrow

describe("arrow.js", () => {
  const types = [new Float64(), new Float64(), new Int64(), new Float32(), new Int32()];
  // A slice: the bitmaps of its first batch start within a byte. One batch is empty.
  const [start, end] = [3, ROWS - 5];

  function batch(from, to) {
    const numbers = Object.entries(samples).map(([name, value], j) => {
      const integer = types[j] instanceof Int64;
      const values = column(value, from, to).map((v) => (integer && v !== null ? BigInt(v) : v));
      return [name, vectorFromArray(values, types[j])];
    });
    const texts = vectorFromArray(column(label, from, to), new Utf8());
    return new Table({ ...Object.fromEntries(numbers), label: texts });
  }

  before(() => {
    const whole = batch(0, 4099).concat(batch(4099, 4099), batch(4099, 4100), batch(4100, ROWS));
    writeFileSync(file("in.arrow"), tableToIPC(whole.slice(start, end), "file"));
    const written = tableFromIPC(readFileSync(file("in.arrow")));
    assert.deepEqual(
      written.batches.map(({ numRows }) => numRows),
      [4096, 0, 1, 5895],
    );
  });

  const read = () => tableFromIPC(readFileSync(file("out.arrow")));

  test("standardizes every batch by all of them", async () => {
    const printed = await run("arrow.js", file("in.arrow"), file("out.arrow"));
    assert.match(printed, /^9992 rows in 3 batches$/m);
    const table = read();
    for (const [name, value] of Object.entries(samples)) {
      assertStandardized([...table.getChild(name)], column(value, start, end), 3);
    }
    assert.deepEqual([...table.getChild("label")], column(label, start, end));
  });

  test("--minmax meets both ends", async () => {
    await run("arrow.js", "--minmax", file("in.arrow"), file("out.arrow"));
    const table = read();
    for (const [name, value] of Object.entries(samples)) {
      const actual = [...table.getChild(name)];
      for (const [i, exact] of ranged(column(value, start, end)).entries()) {
        if (exact === null || exact === 0 || exact === 1) assert.equal(actual[i], exact, `${name}, row ${i}`);
        else assert.ok(Math.abs(actual[i] - exact) <= 1e-12, `${name}, row ${i}: ${actual[i]}, not ${exact}`);
      }
    }
  });

  test("has a table of its own", async () => {
    const printed = await run("arrow.js");
    assert.match(printed, /^10795 rows in 3 batches$/m);
    // The seventh reading is null, and the first five are gone.
    assert.deepEqual(
      printed.match(/^.*│ (null|NaN) .*$/gm).map((line) => line.split("│")[1].trim()),
      ["2"],
    );
  });
});

// ---------------------------------------------------------------------------- csv, duckdb

/** The samples as text, each gap as it is told. */
function writeCsv(name, gap, options) {
  const values = [...Object.values(samples), label].map((value) => column(value));
  const lines = column((i) => values.map((list) => list[i] ?? gap(i)));
  writeFileSync(file(name), stringify([[...Object.keys(samples), "label"], ...lines], options));
}

describe("csv.js", () => {
  const gaps = ["", " ", "NA", "NaN", "null"];
  const gap = (i) => gaps[Math.floor(i / 10) % gaps.length];

  test("standardizes numbers, and leaves gaps and text as they were", async () => {
    writeCsv("in.csv", gap, { bom: true, record_delimiter: "windows" });
    const printed = await run("csv.js", file("in.csv"), file("out.csv"));
    assert.match(printed, /^10000 rows, 1 of 6 columns as they were$/m);
    const [names, ...rows] = parse(readFileSync(file("out.csv")));
    assert.deepEqual(names, [...Object.keys(samples), "label"]);
    for (const [j, value] of Object.values(samples).entries()) {
      const numbers = rows.map((row, i) => {
        if (value(i) !== null) return Number(row[j]);
        assert.equal(row[j], gap(i));
        return null;
      });
      assertStandardized(numbers, column(value), 1);
    }
    assert.deepEqual(
      rows.map((row) => row[5]),
      column(label),
    );
  });

  test("--keep keeps the wines' cultivars", async () => {
    const wine = fileURLToPath(new URL("../data/wine.csv", import.meta.url));
    await run("csv.js", wine, file("wine.csv"), "--keep", "cultivar");
    const [names, ...before] = parse(readFileSync(wine));
    const [, ...rows] = parse(readFileSync(file("wine.csv")));
    for (const [j, name] of names.entries()) {
      const old = before.map((row) => row[j]);
      const now = rows.map((row) => row[j]);
      if (name === "cultivar") assert.deepEqual(now, old);
      else assertStandardized(now.map(Number), old.map(Number), 1);
    }
  });

  test("says what it expects", async () => {
    await assert.rejects(run("csv.js", file("in.csv")), /expected node csv.js in.csv out.csv/);
    for (const text of ["", "a,b\n", "a,b\nx,\ny,\n"]) {
      writeFileSync(file("text.csv"), text);
      const ran = run("csv.js", file("text.csv"), file("out.csv"));
      await assert.rejects(ran, /expected a column of numbers, got none/);
    }
  });
});

describe("duckdb.js", () => {
  const quote = (path) => `'${path.replaceAll("'", "''")}'`;
  let db;

  before(async () => {
    db = await (await DuckDBInstance.create()).connect();
    writeCsv("gaps.csv", () => "");
    // A NaN is a gap, too.
    const temperature = "coalesce(temperature, 'nan') as temperature";
    await db.run(
      `copy (select * replace (${temperature}) from ${quote(file("gaps.csv"))}) to ${quote(file("gaps.parquet"))}`,
    );
  });

  for (const name of ["gaps.parquet", "gaps.csv"]) {
    test(`streams ${name} through a scaler`, async () => {
      const printed = await run("duckdb.js", file(name), file("out.parquet"));
      assert.match(printed, /^10000 rows fitted, 10000 written$/m);
      const reader = await db.runAndReadAll(`from ${quote(file("out.parquet"))}`);
      const columns = reader.getColumnsObject();
      for (const [name, value] of Object.entries(samples)) {
        assertStandardized(columns[name], column(value), Math.ceil(ROWS / 2048));
      }
      assert.deepEqual(
        columns.label,
        column(label).map((text) => text || null),
      );
    });
  }

  test("has a million rows of its own, and agrees with DuckDB", async () => {
    const printed = await run("duckdb.js");
    assert.match(printed, /^1000000 rows fitted, 1000000 written$/m);
    const lines = printed.match(/^.*'(time|temperature|battery)'.*$/gm);
    assert.equal(lines.length, 3);
    for (const line of lines) {
      const cells = line.split("│").map((cell) => Number(cell.replaceAll("'", "")));
      const [, , , mean, fromAvg, variance, fromVarPop] = cells;
      // n·u of a plain sum, and n·u·κ of Welford's variance, κ² = 1 + mean²/variance (Chan, Golub & LeVeque 1983).
      const rounding = 1e6 * 2 ** -53;
      const condition = Math.sqrt(1 + mean ** 2 / variance);
      assert.ok(fromAvg <= rounding, line);
      assert.ok(fromVarPop <= rounding * condition, line);
    }
  });
});
