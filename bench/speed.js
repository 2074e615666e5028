// npm run bench -- [speed] [--quick] [--only <part of a shape's name>]
//
// Times the library on every shape of shapes.js, next to plain JavaScript and to the least a kernel can take. A full
// run also writes results.json and speed.svg beside this file, and their figures into the pages that tables.js lists.

import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { backend, Tensor } from "simdnorm";
import { draw } from "./chart.js";
import { Contender } from "./contender.js";
import { kernelCalls } from "./kernels.js";
import { callsOf, operationsOf } from "./operations.js";
import { quick, shapes, values } from "./shapes.js";
import { publish } from "./tables.js";

const { values: options } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" } },
});
const ascii = (name) => name.toLowerCase().replaceAll("×", "x");
const chosen = shapes.filter(
  ({ name }) => (!options.quick || quick.includes(name)) && ascii(name).includes(ascii(options.only ?? "")),
);
const rounds = options.quick ? 5 : 15;

if (backend() !== "wasm") throw new Error("WebAssembly SIMD is missing here");
const child = fork(new URL("javascript.js", import.meta.url));
child.on("exit", (code) => code && process.exit(code));

/** A round of the JavaScript process, on a new shape if one is named. */
async function javascript(message) {
  child.send(message);
  const [results] = await once(child, "message");
  return results;
}

/** Nanoseconds per element of all contenders on one shape. */
async function measure(shape, progress) {
  const kernels = kernelCalls(shape);
  const arrays = {
    x: values(shape.length),
    y: new Float32Array(shape.length),
    dy: values(shape.length),
  };
  const tensors = {
    x: new Tensor(shape.sizes, arrays.x),
    y: new Tensor(shape.sizes),
    dy: new Tensor(shape.sizes, arrays.dy),
  };
  const operations = operationsOf(shape);
  // Rows that have statistics of their own have other kernels.
  const bare = shape.tokens ? [] : ["infer", "train"];
  const rows = [
    ...callsOf(operations, shape, tensors).map((row) => ({ ...row, memory: "resident" })),
    ...callsOf(operations, shape, arrays).map((row) => ({ ...row, memory: "staged" })),
    ...bare.map((operation) => ({
      operation,
      place: "in place",
      memory: "kernels",
      call: kernels[operation],
    })),
  ].map(({ call, ...row }) => ({ ...row, contender: new Contender(call) }));
  // A kernel that is called wrongly would be timed all the same.
  for (const operation of bare) {
    kernels[operation]();
    operations[operation](shape, arrays)();
    const same = kernels.values().every((value, i) => Math.abs(value - arrays.y[i]) < 1e-4);
    if (!same) throw new Error(`${shape.name}: the bare kernels give another result of ${operation}`);
  }
  const probes = Object.entries(kernels.probes).map(([place, call]) => ({
    place,
    contender: new Contender(call),
  }));

  let plain = await javascript({ shape: shape.name });
  for (let round = 1; round <= rounds; round++) {
    progress(round);
    for (const { contender } of shuffle([...probes, ...rows])) contender.round();
    plain = await javascript({});
  }
  for (const tensor of Object.values(tensors)) tensor.dispose();
  kernels.free();

  const perElement = (seconds) => (1e9 * seconds) / shape.length;
  return rows.map(({ contender, ...row }) => {
    const of = (kind) =>
      plain.find(
        (other) => other.kind === kind && other.operation === row.operation && other.place === row.place,
      );
    return {
      shape: shape.name,
      length: shape.length,
      ...row,
      nanoseconds: perElement(contender.best),
      tuned: perElement(of("tuned").best),
      naive: of("naive") ? perElement(of("naive").best) : null,
      probe: perElement(probes.find(({ place }) => place === row.place).contender.best),
    };
  });
}

/** A new order every round: what runs after what changes what is in the caches. */
function shuffle(list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

const short = (value, digits = 3) =>
  value < 10 ** (digits - 1) ? value.toPrecision(digits) : value.toFixed(0);

/** Title, width (negative: to the right) and text of every column. */
const columns = [
  ["shape", 25, (row) => row.shape],
  ["operation", 21, (row) => `${row.operation} ${row.place}`],
  ["memory", 9, (row) => row.memory],
  ["ns/element", -10, (row) => short(row.nanoseconds)],
  ["µs/call", -9, (row) => short((row.nanoseconds * row.length) / 1e3)],
  ["GB/s", -7, (row) => short(4 / row.nanoseconds)],
  ["× tuned", -9, (row) => short(row.tuned / row.nanoseconds, 2)],
  ["× naive", -9, (row) => (row.naive === null ? "" : short(row.naive / row.nanoseconds, 2))],
  ["÷ probe", -9, (row) => short(row.nanoseconds / row.probe)],
];

function print(cells) {
  const padded = cells.map((cell, i) => {
    const width = columns[i][1];
    return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
  });
  console.log(padded.join(" ").trimEnd());
}

const machine = `${cpus()[0].model}, Node ${process.versions.node}`;
console.log(`${machine}; the fastest of ${rounds} rounds

resident  a Tensor           GB/s     4 bytes per element, read once
staged    a Float32Array     × tuned  times as fast as the library's JavaScript backend
kernels   the raw exports    × naive  times as fast as the obvious loops
                             ÷ probe  time over that of y = x·c in WebAssembly SIMD
`);
print(columns.map(([title]) => title));

/** To digits that another run may show again. */
function rounded(row) {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === "number" && name !== "length" ? Number(value.toPrecision(4)) : value,
  ]);
  return Object.fromEntries(entries);
}

const results = [];
for (const [i, shape] of chosen.entries()) {
  const rows = await measure(shape, (round) => {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r\x1b[K${shape.name} (${i + 1} of ${chosen.length}), round ${round} of ${rounds}`);
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  for (const row of rows) print(columns.map(([, , text]) => text(row)));
  results.push(...rows.map(rounded));
}
child.disconnect();

if (chosen.length === shapes.length) {
  const write = (name, text) => writeFileSync(new URL(name, import.meta.url), text);
  // A row a line, so that two runs can be compared.
  const lines = results.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  const head = `  "machine": ${JSON.stringify(machine)},\n  "rounds": ${rounds},`;
  write("results.json", `{\n${head}\n  "results": [\n${lines}\n  ]\n}\n`);
  write("speed.svg", draw(results, machine));
  publish({ machine, rounds, results });
}
