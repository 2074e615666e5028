// What the matrices found, as one Markdown table: printed, and put between the README's markers.

import { existsSync, readFileSync, writeFileSync } from "node:fs";

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

const readme = new URL("README.md", root);
if (existsSync(readme)) {
  const section = `<!-- matrix -->\n\n${table}\n\n<!-- /matrix -->`;
  const text = readFileSync(readme, "utf8");
  const marked = /<!-- matrix -->.*<!-- \/matrix -->/s;
  writeFileSync(
    readme,
    marked.test(text)
      ? text.replace(marked, () => section)
      : `${text.trimEnd()}\n\n## Where it runs\n\n${section}\n`,
  );
}
