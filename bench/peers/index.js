// npm run bench -- peers: simdnorm, plain JavaScript and the packages of contenders.js on the same values, in time and
// in accuracy.

import { fork } from "node:child_process";
import { once } from "node:events";
import { init, Tensor } from "../../build/index.js";
import { Contender } from "../contender.js";
import { naive } from "../naive.js";
import { operations } from "../operations.js";
import { parameters, quick, shapes, values } from "../shapes.js";
import { Awaited } from "./awaited.js";
import { peers } from "./contenders.js";

const ROUNDS = 10;

const child = fork(new URL("../javascript.js", import.meta.url));
child.on("exit", (code) => code && process.exit(code));

/** Nanoseconds per element of every contender on one shape. */
async function speed(shape) {
  const data = values(shape.length);
  const given = parameters(shape);
  const x = new Tensor(shape.sizes, data);
  const y = new Tensor(shape.sizes);
  const array = new Float32Array(shape.length);
  const own = [
    ["infer", "infer"],
    ["apply", "infer"],
    ["train", "train"],
  ].flatMap(([method, operation]) => {
    const title = method === "apply" ? "fold().apply" : method;
    return [
      { name: `simdnorm ${title}, Tensor`, operation, call: operations[method](shape, { x, y }) },
      {
        name: `simdnorm ${title}, Float32Array`,
        operation,
        call: operations[method](shape, { x: data, y: array }),
      },
    ];
  });
  const others = await peers(shape, data, given);
  const rows = [...own, ...others.rows].map(({ call, session, ...row }) => ({
    ...row,
    contender: session ? new Awaited(call) : new Contender(call),
  }));

  let plain;
  for (let round = 0; round < ROUNDS; round++) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${shape.name}, round ${round + 1} of ${ROUNDS}`);
    for (const { contender } of rows) await contender.round();
    child.send(round === 0 ? { shape: shape.name } : {});
    [plain] = await once(child, "message");
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  await others.free();
  x.dispose();
  y.dispose();

  const javascript = plain
    .filter(({ operation, place }) => place === "out" && operation in naive)
    .map(({ kind, operation, best }) => ({ name: `JavaScript, ${kind}`, operation, best }));
  const timed = rows.map(({ contender, ...row }) => ({ ...row, best: contender.best }));
  timed.splice(own.length, 0, ...javascript);
  return timed.map(({ best, ...row }) => ({
    ...row,
    column: shape.name,
    value: (1e9 * best) / shape.length,
  }));
}

/** The worst |y − exact| / max(1, |exact|) of every contender on 65536 rows of N(mean, 1). */
async function accuracy(mean) {
  const shape = { axis: -1, sizes: [65536, 16], outer: 65536, features: 16, inner: 1, length: 65536 * 16 };
  const data = normal(shape.length).map((value) => mean + value);
  const batch = moments(shape, data);
  // Every package gets the same running statistics, which float32 can hold.
  const given = {
    epsilon: 1e-5,
    gamma: new Float32Array(16).fill(1),
    beta: new Float32Array(16),
    runningMean: Float64Array.from(batch.mean, Math.fround),
    runningVariance: Float64Array.from(batch.variance, Math.fround),
  };
  const exact = {
    infer: normalize(shape, data, given.runningMean, given.runningVariance),
    train: normalize(shape, data, batch.mean, batch.variance),
  };

  const results = [];
  const judge = (name, operation, y) => {
    let value = 0;
    for (let i = 0; i < y.length; i++) {
      const size = Math.max(1, Math.abs(exact[operation][i]));
      value = Math.max(value, Math.abs(y[i] - exact[operation][i]) / size);
    }
    results.push({ name, operation, column: `mean ${mean}`, value });
  };
  const run = (name, operation, prepare) => {
    const y = new Float32Array(shape.length);
    // A copy of the parameters: training updates the naive loops' running statistics.
    prepare(shape, { x: data, y }, structuredClone(given))();
    judge(name, operation, y);
  };
  run("simdnorm infer, Float32Array", "infer", operations.infer);
  run("simdnorm fold().apply, Float32Array", "infer", operations.apply);
  run("simdnorm train, Float32Array", "train", operations.train);
  const others = await peers(shape, data, given);
  for (const { name, operation, call } of others.rows) {
    const y = await call();
    if (y) judge(name, operation, y);
  }
  await others.free();
  init({ backend: "javascript" });
  for (const operation of ["infer", "train"]) {
    run("JavaScript, tuned", operation, operations[operation]);
    run("JavaScript, naive", operation, naive[operation]);
  }
  init({ backend: "wasm" });
  return results;
}

/** N(0, 1): Box and Muller. */
function normal(length) {
  const draw = values(2 * length);
  return Float32Array.from({ length }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(0.5 - draw[2 * i] / 2 + 2 ** -24));
    return radius * Math.cos(Math.PI * draw[2 * i + 1]);
  });
}

/** Mean and variance per feature in float64, in two passes. */
function moments({ outer, features, length }, x) {
  const mean = new Float64Array(features);
  const variance = new Float64Array(features);
  for (let i = 0; i < length; i++) mean[i % features] += x[i] / outer;
  for (let i = 0; i < length; i++) variance[i % features] += (x[i] - mean[i % features]) ** 2 / outer;
  return { mean, variance };
}

function normalize({ features }, x, mean, variance) {
  return Float64Array.from(x, (value, i) => {
    const j = i % features;
    return (value - mean[j]) / Math.sqrt(variance[j] + 1e-5);
  });
}

function print(title, results, text) {
  const names = [...new Set(results.map(({ name }) => name))];
  const columns = [...new Set(results.map(({ column }) => column))];
  const width = Math.max(10, ...columns.map(({ length }) => length)) + 2;
  console.log(`\n${title}\n`);
  console.log("".padEnd(44) + columns.map((column) => column.padStart(width)).join(""));
  for (const name of names) {
    const cells = columns.map((column) => {
      const result = results.find((one) => one.name === name && one.column === column);
      return (result ? text(result.value) : "").padStart(width);
    });
    console.log((name.padEnd(44) + cells.join("")).trimEnd());
  }
}

const times = [];
for (const shape of shapes.filter(({ name }) => quick.includes(name))) times.push(...(await speed(shape)));
child.disconnect();
const errors = [];
for (const mean of [0, 1e4, 1e6]) errors.push(...(await accuracy(mean)));

for (const [operation, word] of [
  ["infer", "Inference"],
  ["train", "Training"],
]) {
  const of = (results) => results.filter((result) => result.operation === operation);
  print(`${word}, ns per element, the fastest of ${ROUNDS} rounds`, of(times), (value) =>
    value < 100 ? value.toPrecision(3) : value.toFixed(0),
  );
  print(`${word}, the worst error over max(1, |y|), 65536 rows of N(mean, 1)`, of(errors), (value) =>
    value.toExponential(1),
  );
}
