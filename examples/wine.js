// The main job on real data, and what is exact about it. Run it with `npm start`.

import { BatchNorm, backend, init, Moments, Tensor } from "simdnorm";
import { readTable } from "./table.js";

const kernels = backend() === "wasm" ? "WebAssembly SIMD" : "JavaScript";
console.log(`simdnorm: fast, exact normalization for JavaScript; its kernels run in ${kernels} here.`);

// ---- (a) Three samples of two features, by hand.

const example = Float32Array.of(2, 4, 3, 5, 4, 6);
const moments = new Moments(2).add(example);
const list = (values) => Array.from(values, (value) => value.toFixed(4).padStart(8)).join("");

console.log("\n3 samples of 2 features: 2 4 / 3 5 / 4 6");
console.log(`  mean               ${list(moments.mean)}`);
console.log(`  variance           ${list(moments.variance)}`);
for (const [title, options] of [
  ["normalized", {}],
  ["× (½, 2) + (1, −1)", { gamma: [0.5, 2], beta: [1, -1] }],
]) {
  const y = new BatchNorm(2, options).train(example);
  const rows = [0, 2, 4].map((row) => list(y.subarray(row, row + 2)));
  console.log(`  ${title.padEnd(19)}${rows.join("  /")}`);
}

// ---- (b) The wines: in training by the batch's statistics, then in inference by the running ones.

const { names, rows } = readTable("wine.csv");
const measurements = names.slice(0, 13);
const wines = Float32Array.from(rows.flatMap((row) => row.slice(0, 13)));

// One batch is the whole table, so the running statistics take all of it.
const layer = new BatchNorm(13, { momentum: 1 });
const columns = {
  before: wines,
  training: layer.train(wines),
  inference: layer.infer(wines),
};

console.log(`\n${rows.length} wines: mean and standard deviation of each measurement`);
console.log(
  `${"".padEnd(22)}${Object.keys(columns)
    .map((title) => title.padStart(22))
    .join("")}`,
);
const described = Object.values(columns).map((values) => new Moments(13).add(values));
for (const [j, name] of measurements.entries()) {
  const cells = described.map(({ mean, variance }) => {
    const digits = mean[j].toFixed(4).replace("-0.0000", "0.0000");
    return `${digits.padStart(12)} ±${Math.sqrt(variance[j]).toFixed(4).padStart(9)}`;
  });
  console.log(name.padEnd(22) + cells.join(""));
}
console.log(`Not 1.0000 everywhere, by definition: training divides by √(variance + 10⁻⁵), which leaves 0.9997 where the
variance is 0.015 and 0.9999 where it is 0.05 or 0.07; inference divides by the unbiased variance, which leaves
√(177/178) = 0.9972 of that.`);

// ---- (c) How exact: readings of standard deviation 1, ever farther from 0.

const f32 = Math.fround;
const f64 = (value) => value;

/** (x − mean)/√(variance + ε) in two passes, sums and other steps rounded as told. */
function textbook(x, sums, steps) {
  let sum = 0;
  for (const value of x) sum = sums(sum + value);
  const mean = steps(sum / x.length);
  let squares = 0;
  for (const value of x) squares = sums(squares + steps(steps(value - mean) ** 2));
  const root = steps(Math.sqrt(steps(steps(squares / x.length) + 1e-5)));
  return Float64Array.from(x, (value) => steps(steps(value - mean) / root));
}

const means = [0, 1e4, 1e6];
const errors = (normalized) =>
  means.map((mean) => {
    const x = Float32Array.from({ length: 4096 }, (_, i) => mean + Math.SQRT2 * Math.sin(i * i));
    const y = normalized(x);
    const worst = textbook(x, f64, f64).reduce((most, exact, i) => Math.max(most, Math.abs(y[i] - exact)), 0);
    return worst.toPrecision(1).padStart(12);
  });

console.log("\n4,096 readings of standard deviation 1, normalized: the worst error, in standard deviations");
for (const [title, cells] of [
  ["", ["mean 0", "mean 10⁴", "mean 10⁶"].map((text) => text.padStart(12))],
  ["simdnorm", errors((x) => new BatchNorm(1).train(x))],
  ["float32, sums in float64", errors((x) => textbook(x, f64, f32))],
  ["float32 throughout", errors((x) => textbook(x, f32, f32))],
]) {
  console.log(title.padEnd(26) + cells.join(""));
}
console.log(`The last two are the textbook's two passes in this example's own JavaScript, rounded after every step, as
float32 frameworks compute; bench/peers measures TensorFlow.js and ONNX Runtime themselves.`);

// ---- (d) How fast: JavaScript first, because a growth of linear memory would slow its loops.

const shape = [4096, 256];
const large = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i));

/** The shortest of many runs, in milliseconds. */
function fastest(run) {
  let best = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + 150; performance.now() < end; ) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

const wide = new BatchNorm(256);
const onArrays = () => fastest(() => wide.infer(large, { out: large }));
const chosen = backend();
init({ backend: "javascript" });
const javascript = onArrays();
init({ backend: chosen });
const staged = onArrays();
const tensor = new Tensor(shape, large);
const resident = fastest(() => wide.infer(tensor, { out: tensor }));
const times = (ms) => `${ms.toFixed(2)} ms (${(javascript / ms).toFixed(1)}×)`;
console.log(
  `\nInference of ${shape.join(" × ")} in place, the fastest run: tensor ${times(resident)}, array ${times(staged)},` +
    ` tuned JavaScript ${times(javascript)}`,
);

console.log(`
Next:  node examples/scaler.js     a scaler like scikit-learn's: fitted, saved, loaded, undone
       node examples/workers.js    one fit over four threads
       node examples/digits.js     the same networks with and without batch normalization: a minute
       npm run bench -- --quick    every shape, beside plain JavaScript: a minute
       README.md                   recipes and guides`);
