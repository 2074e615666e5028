// A query that need not fit into memory: DuckDB streams it chunk by chunk, and a progress bar moves.

import { DuckDBConnection } from "@duckdb/node-api";
import { StandardScaler } from "simdnorm";
import { worst } from "./worst.js";

const connection = await DuckDBConnection.create();
await connection.run(`
  create table readings as
  select i::double as time, case when i % 10 = 3 then null else 20 + 5 * sin(i / 1000) end as temperature
  from range(200_000) series(i)`);

/** The only row of a query's result, of numbers. */
async function ask(sql: string): Promise<number[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowsJS()[0] as number[];
}

const scaler = new StandardScaler({ axis: 0 });
const [total] = await ask("select count(*)::integer from readings");
const progress: number[] = [];
let rows = 0;
const result = await connection.stream("from readings");
for await (const chunk of result) {
  const columns = chunk.getColumns() as (number | null)[][];
  scaler.partialFit(columns.map((column) => column.map((value) => value ?? Number.NaN)));
  rows += chunk.rowCount;
  const percent = Math.floor((100 * rows) / total!);
  if (percent !== progress.at(-1)) progress.push(percent);
}

// The same in SQL, whose favg and var_pop are the formula.
const expected = await ask(
  "select favg(time), favg(temperature), var_pop(time), var_pop(temperature) from readings",
);
const got = [...scaler.mean!, ...scaler.variance!];
const difference = worst(got, expected, (value) => 1e-9 * Math.abs(value));
worst(progress.slice(-1), [100], 0);
console.log(`duckdb: ${rows} rows in ${progress.length} steps of progress, within ${difference} of SQL`);
