// The main job on real data: 178 wines, 13 measurements on very different scales, normalized in training
// and in inference. Run it with `npm start`.

import { BatchNorm, backend, init, Moments, Tensor } from "simdnorm";
import { readTable } from "./table.js";

// ---- (a) Three samples of two features, by hand.

const example = Float32Array.of(2, 4, 3, 5, 4, 6);
const moments = new Moments(2).add(example);
const list = (values) => Array.from(values, (value) => value.toFixed(4).padStart(8)).join("");

console.log(`3 samples × 2 features: 2 4 / 3 5 / 4 6   (kernels: ${backend()})`);
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

console.log(`\n${rows.length} wines, mean and standard deviation of each measurement`);
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
console.log("(inference divides by the unbiased running variance: 177/178 of the variance remains)");

// ---- (c) How fast: JavaScript first, because a growth of linear memory would slow its loops.

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
  `\ninference of ${shape.join(" × ")} in place, minimum: tensor ${times(resident)}, array ${times(staged)},` +
    ` tuned JavaScript ${times(javascript)}`,
);
