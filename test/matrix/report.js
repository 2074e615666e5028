// The rows of a matrix: printed as a table, kept as JSON, and judged.

import { mkdirSync, writeFileSync } from "node:fs";

const rows = [];

/**
 * Runs one cell of the matrix. `run` gives its result, the backend that ran as a rule; it is null where
 * something is missing, which `missing` names.
 */
export async function cell({ environment, version, how, expected, missing }, run) {
  const row = { environment, version, how, result: "failed", problem: null };
  rows.push(row);
  if (run === null) {
    row.result = "skipped";
    row.problem = `${missing} is not installed (see .ci/matrix)`;
    return;
  }
  try {
    const result = String(await run()).trim();
    if (result === expected) row.result = result;
    else row.problem = `expected ${expected}, got ${result}`;
  } catch (error) {
    row.problem = `${error.stdout ?? ""}${error.stderr ?? ""}${error.message}`.trim();
  }
}

/** Prints and writes what was run; skipped cells fail where CI is set. */
export function report(name) {
  const columns = ["environment", "version", "how", "result"];
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ""))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  for (const line of lines) console.log(line.map((text, i) => text.padEnd(widths[i])).join("  "));

  const folder = new URL("../../build/matrix/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(rows, null, 2)}\n`);

  for (const { environment, how, result, problem } of rows) {
    if (problem === null) continue;
    console.error(`\n!! ${environment}, ${how}: ${result}: ${problem}`);
    if (result !== "skipped" || process.env.CI) process.exitCode = 1;
  }
}
