// The worker of worker.ts in workerd, where compiling WebAssembly is forbidden, and a program that asks it.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { StandardScalerJSON } from "simdnorm";
import { worst } from "./worst.js";

const build = "node_modules/simdnorm/build";
writeFileSync(
  "worker.capnp",
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = (compatibilityDate = "2025-05-01", modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "fitted.json", json = embed "fitted.json"),
    (name = "simdnorm/edge", esModule = embed "${build}/edge.js"),
    (name = "simdnorm/index.js", esModule = embed "${build}/index.js"),
${["kernels", "pixels", "rows", "statistics"].map((name) => `    (name = "simdnorm/${name}.wasm?module", wasm = embed "${build}/${name}.wasm"),`).join("\n")}
  ]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);`,
);
const child = spawn("node_modules/.bin/workerd", ["serve", "--control-fd=3", "worker.capnp"], {
  stdio: ["ignore", "inherit", "inherit", "pipe"],
});
const control = child.stdio[3] as Readable;
let url = "";
for await (const line of createInterface({ input: control })) {
  url = `http://127.0.0.1:${JSON.parse(line).port}`;
  break;
}

const ask = async (rows: unknown) => {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(rows) });
  return (await response.json()) as { rows: number[][]; backend: string; error?: string };
};
const rows = Array.from({ length: 100 }, (_, i) => [5 + (i % 30) / 10, 2.5 + (i % 20) / 10]);
const answer = await ask(rows);
const { error } = await ask([[1, null]]);
child.kill();

// z = (x − mean)/√(m2/count).
const { moments }: StandardScalerJSON = JSON.parse(readFileSync("fitted.json", "utf8"));
const { count, mean, m2 } = moments!;
const expected = rows.map((row) =>
  row.map((x, j) => (x - Number(mean[j])) / Math.sqrt(Number(m2[j]) / Number(count))),
);
const difference = worst(answer.rows.flat(), expected.flat(), 1e-12);
if (error !== "x[0][1]: expected a number, got null (a gap is NaN)") throw new Error(error);
console.log(`edge: ${answer.rows.length} rows on ${answer.backend}, within ${difference} of the formula`);
