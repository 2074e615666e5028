// What the matrices found, as one Markdown table: printed, and put into docs/environments.md.

import { existsSync, readFileSync } from "node:fs";
import { mark } from "../../docs/marked.js";

const root = new URL("../../", import.meta.url);
const results = {
  wasm: "WebAssembly",
  javascript: "JavaScript",
  compiles: "compiles",
};

/** Rows that differ in one field only become one row. */
function merge(rows, field) {
  const merged = new Map();
  for (const row of rows) {
    const key = JSON.stringify({ ...row, [field]: "" });
    const same = merged.get(key);
    if (same) same[field] += `, ${row[field]}`;
    else merged.set(key, { ...row });
  }
  return [...merged.values()];
}

const rows = ["runtimes", "browsers", "bundlers", "types"].flatMap((name) => {
  const file = new URL(`build/matrix/${name}.json`, root);
  if (!existsSync(file)) throw new Error(`expected ${name}.json, got none (npm run matrix -- ${name})`);
  return JSON.parse(readFileSync(file));
});
const cells = rows.map(({ environment, version, how, result }) => ({
  environment,
  version,
  how,
  result: results[result] ?? `**${result}**`,
}));
const table = [
  "| | version | as | runs |",
  "|---|---|---|---|",
  ...merge(merge(cells, "how"), "version").map((cell) => `| ${Object.values(cell).join(" | ")} |`),
].join("\n");
console.log(table);

mark(new URL("docs/environments.md", root), "matrix", table);
