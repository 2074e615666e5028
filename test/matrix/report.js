// The rows of a matrix: printed as a table, kept as JSON, and judged.

import { mkdirSync, writeFileSync } from "node:fs";

const rows = [];

/**
 * Runs one cell of the matrix. `run` gives the backend that ran, which must be the expected one; it is
 * null where something is missing, which `missing` names.
 */
export async function cell(
  { environment, version, how, expected, missing },
  run,
) {
  const row = { environment, version, how, backend: null, problem: null };
  rows.push(row);
  if (run === null) {
    row.backend = "skipped";
    row.problem = `${missing} is not installed`;
    return;
  }
  try {
    const backend = String(await run()).trim();
    if (backend !== "wasm" && backend !== "javascript")
      throw new Error(backend);
    row.backend = backend;
    if (backend !== expected) row.problem = `expected the backend ${expected}`;
  } catch (error) {
    row.backend = "failed";
    row.problem = `${error.stderr ?? ""}${error.message}`.trim();
  }
}

/** Prints and writes what was run; skipped cells fail where CI is set. */
export function report(name) {
  const columns = ["environment", "version", "how", "backend"];
  const lines = [
    columns,
    ...rows.map((row) => columns.map((column) => row[column] ?? "")),
  ];
  const widths = columns.map((_, i) =>
    Math.max(...lines.map((line) => line[i].length)),
  );
  for (const line of lines)
    console.log(line.map((text, i) => text.padEnd(widths[i])).join("  "));

  const folder = new URL("../../build/matrix/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    new URL(`${name}.json`, folder),
    `${JSON.stringify(rows, null, 2)}\n`,
  );

  for (const { environment, how, backend, problem } of rows) {
    if (problem === null) continue;
    console.error(`\n!! ${environment}, ${how}: ${backend}: ${problem}`);
    if (backend !== "skipped" || process.env.CI) process.exitCode = 1;
  }
}
