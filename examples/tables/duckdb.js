// node duckdb.js [in.parquet | in.csv [out.parquet]]
//
// Standardizes the columns of numbers of a file that need not fit into memory: DuckDB streams it, once to fit a scaler
// and once to apply it; then its own statistics are compared. Without a file it makes a million rows.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBDataChunk, DuckDBInstance } from "@duckdb/node-api";
import { StandardScaler } from "simdnorm";

const instance = await DuckDBInstance.create();
const db = await instance.connect();
const [input = await readings(), output] = process.argv.slice(2);
const columns = await rows(`describe from ${text(input)}`);
const numeric = columns.flatMap(([, type], j) => (isNumber(type) ? [j] : []));
const names = numeric.map((j) => quoted(columns[j][0]));
if (names.length === 0) throw new Error(`${input}: expected a column of numbers, got none`);

// ---- The recipe: a chunk has a Float64Array per column. SQL makes its gaps NaN, which a scaler ignores.

const doubles = names.map((name) => `coalesce(${name}::double, 'nan') as ${name}`);
await db.run(`create view samples as select * replace (${doubles}) from ${text(input)}`);
const [total, avg, variance] = await statistics("samples");

const scaler = new StandardScaler({ axis: 0 });
for await (const chunk of chunks("fit")) scaler.partialFit(numbersOf(chunk));

// A connection of its own: anything else that runs on the stream's would end the stream, without an error.
const writer = await instance.connect();
await writer.run("create table scaled as from samples limit 0");
const appender = await writer.createAppender("scaled");
const types = columns.map((_, j) => appender.columnType(j));
for await (const chunk of chunks("transform")) {
  const values = chunk.getColumns();
  for (const [k, y] of scaler.transform(numbersOf(chunk)).entries()) values[numeric[k]] = y;
  const scaled = DuckDBDataChunk.create(types);
  scaled.setColumns(values);
  appender.appendDataChunk(scaled);
}
appender.closeSync();

if (output !== undefined) {
  const nulls = names.map((name) => `nullif(${name}, 'nan') as ${name}`);
  await db.run(`copy (select * replace (${nulls}) from scaled) to ${text(output)} (format parquet)`);
}

// ---- What DuckDB says, relative differences from it first. Its avg and var_pop do not compensate rounding, which
// timestamps show; favg does, and agrees.

const [count, mean, squares] = await statistics("scaled");
console.log(`${total} rows fitted, ${count} written`);
console.table(
  numeric.map((column, j) => ({
    column: columns[column][0],
    mean: scaler.mean[j],
    "from avg": difference(scaler.mean[j], avg[j], Math.max(Math.abs(avg[j]), scaler.scale[j])),
    variance: scaler.variance[j],
    "from var_pop": difference(scaler.variance[j], variance[j], variance[j] || 1),
    "mean, scaled": mean[j].toExponential(1),
    "deviation, scaled": Math.sqrt(squares[j]).toFixed(9),
  })),
);

function difference(value, other, size) {
  return (Math.abs(value - other) / size).toExponential(1);
}

/** The number of rows of a table, and the mean and variance of each column of numbers. */
async function statistics(table) {
  const all = (aggregate) => names.map((name) => `coalesce(${aggregate}(nullif(${name}, 'nan')), 'nan')`);
  const sql = `select count(*)::double, [${all("avg")}], [${all("var_pop")}] from ${table}`;
  return (await rows(sql))[0];
}

// ---- DuckDB, asked and read.

async function rows(sql) {
  return (await db.runAndReadAll(sql)).getRowsJS();
}

/** The samples, 2,048 rows at a time, with a progress bar. */
async function* chunks(title) {
  let done = 0;
  for await (const chunk of await db.stream("from samples")) {
    yield chunk;
    done += chunk.rowCount;
    const bar = "#".repeat((30 * done) / total).padEnd(30, ".");
    if (process.stderr.isTTY) process.stderr.write(done < total ? `\r${title} [${bar}]` : "\r\x1b[K");
  }
}

function numbersOf(chunk) {
  return numeric.map((j) => chunk.getColumnVector(j).items);
}

function isNumber(type) {
  return /^(\w*INT|INTEGER|UINTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type);
}

function text(value) {
  return `'${value.replaceAll("'", "''")}'`;
}

function quoted(name) {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A sensor's readings, one a second, each tenth temperature missing. */
async function readings() {
  const folder = mkdtempSync(join(tmpdir(), "simdnorm-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const file = join(folder, "readings.parquet");
  await db.run(`copy (
    select 1767225600000 + 1000 * i as time,
      case when i % 10 <> 7 then 20 + 5 * sin(i / 1000) end as temperature,
      (4200 - i // 512)::integer as battery,
      'north' as sensor
    from range(1000000) seconds(i)
  ) to ${text(file)}`);
  return file;
}
