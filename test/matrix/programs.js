// Users' programs in an empty TypeScript project, as `tsc --init` makes it: compiled with tsc, run with Node. Each checks
// its own result and prints one line.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { consumer } from "./consumer.js";
import { program } from "./installed.js";
import { cell, report } from "./report.js";

const folder = consumer("programs");
const here = fileURLToPath(new URL("node_modules", import.meta.url));

/** What users install beside the package, and where it is here. */
const packages = {
  "@types/node": "types-node20",
  "apache-arrow": "apache-arrow",
  "@duckdb/node-api": "@duckdb/node-api",
  ".bin/workerd": ".bin/workerd",
};
for (const [name, installed] of Object.entries(packages)) {
  const place = join(folder, "node_modules", name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(here, installed), place);
}

const run = async (binary, ...args) => {
  const { stdout, stderr } = await promisify(execFile)(binary, args, { cwd: folder });
  if (stderr) throw new Error(`expected silence, got ${stderr}`);
  return stdout.trim();
};

const compiler = program("typescript5/bin/tsc");
const row = { environment: "programs", how: "tsc", version: compiler?.version, missing: "typescript5" };
await cell(
  { ...row, expected: "compiles" },
  compiler && (async () => (await run(compiler.binary)) || "compiles"),
);

const lines = [];
for (const [name, from] of [
  ["csv"],
  ["split"],
  ["pytorch"],
  ["training"],
  ["fold"],
  ["workers"],
  ["timestamps"],
  ["arrow", "apache-arrow"],
  ["duckdb", "@duckdb/node-api"],
  ["edge", "workerd"],
]) {
  const missing = [from, "typescript5"].find((needed) => needed && !existsSync(join(here, needed)));
  const agrees = async () => {
    const printed = (await run(process.execPath, `${name}.js`)).split("\n");
    if (printed.length !== 1 || !printed[0].startsWith(`${name}: `)) return printed.join("\n");
    lines.push(printed[0]);
    return "agrees";
  };
  const version = process.versions.node;
  await cell(
    { environment: name, version, how: "Node.js", expected: "agrees", missing },
    missing ? null : agrees,
  );
}

console.log(`${lines.join("\n")}\n`);
report("programs");
