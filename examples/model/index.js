// node examples/model/index.js
//
// Two trained networks, each in three ways: as its framework runs it; the framework's convolutions with simdnorm's
// batch norms between them; and with the batch norms folded into the convolutions.

import * as keras from "./keras.js";
import * as onnx from "./onnx.js";

const SECONDS = 4;
const WAYS = ["whole", "unfolded", "folded"];

/** The largest difference, in parts of the largest value. */
function difference(values, others) {
  const most = (numbers) => numbers.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);
  return most(values.map((v, i) => v - others[i])) / most(values);
}

for (const { load } of [keras, onnx]) {
  const network = await load();
  const { title, framework, norms } = network;
  const x = network.input(0, false);
  const found = {};
  for (const way of WAYS) found[way] = await network[way](x);

  console.log(`${title}: ${norms.size} batch norms, convolutions by ${framework}\n`);
  for (const [a, b] of [
    ["unfolded", "folded"],
    ["whole", "unfolded"],
    ["whole", "folded"],
  ]) {
    const [features, answers] = ["features", "answers"].map((what) =>
      difference(found[a][what], found[b][what]).toExponential(1),
    );
    console.log(
      `  ${`${a}, ${b}`.padEnd(20)} differ by ${features} of the largest feature, ${answers} of the largest answer`,
    );
  }

  const least = { whole: Infinity, unfolded: Infinity, folded: Infinity, spent: Infinity };
  const end = performance.now() + 1000 * SECONDS;
  while (performance.now() < end) {
    for (const way of WAYS) {
      const started = performance.now();
      const { spent = Infinity } = await network[way](x);
      least[way] = Math.min(least[way], performance.now() - started);
      least.spent = Math.min(least.spent, spent);
    }
  }
  const ms = (name) => `${least[name].toFixed(1)} ms`.padStart(9);
  console.log();
  console.log(`  whole, by ${framework}`.padEnd(36) + ms("whole"));
  console.log(
    `${"  unfolded, batch norms by simdnorm".padEnd(36)}${ms("unfolded")}, of which batch norms ${ms("spent").trim()}`,
  );
  console.log(`${"  folded".padEnd(36)}${ms("folded")}\n`);
}
console.log(
  `One picture of handwritten digits, one thread; the least of interleaved runs, ${SECONDS} seconds a network.`,
);
