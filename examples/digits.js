// node examples/digits.js [--markdown] [--rates 0.1,1] [--hidden 6]
//
// Does batch normalization train in 50 to 70 % fewer epochs, bear higher learning rates and keep deep networks
// trainable? Trains the same networks on handwritten digits with and without it. The default run draws digits.svg.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { draw } from "./curves.js";
import { samples, shuffled, split } from "./handwriting.js";
import { generator, Network } from "./network.js";
import { readTable } from "./table.js";

const { values: options } = parseArgs({
  options: { markdown: { type: "boolean" }, rates: { type: "string" }, hidden: { type: "string" } },
});
// Of 0.02, 0.05, 0.1, 0.2, 0.5, 1 and 2, the plain network learns fastest at 0.1: its best rate, and ten times it.
const rates = (options.rates ?? "0.1,1").split(",").map(Number);
const hidden = Number(options.hidden ?? 6);
const seeds = [1, 2, 3, 4, 5];
const epochs = 25;
const batch = 64;
const targets = [0.9, 0.95];
const kinds = ["plain", "batch norm"];
const { training, test } = split(readTable("digits.csv").rows);

/** The test accuracy after every epoch. Both kinds start from the same weights and see the same batches. */
function train(kind, rate, seed, progress) {
  const network = new Network([64, ...Array(hidden).fill(64), 10], {
    normalized: kind === "batch norm",
    random: generator(seed),
  });
  const random = generator(1000 + seed);
  const accuracy = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    progress(epoch);
    const order = shuffled(training, random);
    for (let i = 0; i < order.length; i += batch) network.step(...samples(order.slice(i, i + batch)), rate);
    accuracy.push(network.accuracy(...test));
  }
  return accuracy;
}

// Progress goes to stderr, so that stdout is the table alone.
const started = performance.now();
const bar = process.stderr.isTTY;
const total = rates.length * kinds.length * seeds.length * epochs;
const groups = [];
let done = 0;
for (const rate of rates) {
  for (const kind of kinds) {
    const runs = seeds.map((seed) => {
      const title = `rate ${rate}, ${kind}, seed ${seed}`;
      const accuracy = train(kind, rate, seed, () => {
        const filled = Math.round((30 * ++done) / total);
        if (bar) process.stderr.write(`\r\x1b[K[${"#".repeat(filled).padEnd(30, ".")}] ${title}`);
      });
      if (!bar) console.error(`${title}: ${percent(accuracy.at(-1))} (${done} of ${total} epochs)`);
      return accuracy;
    });
    groups.push({ rate, kind, runs });
  }
}
if (bar) process.stderr.write("\r\x1b[K");
const seconds = (performance.now() - started) / 1000;

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** Epochs until the test accuracy first reaches the target; infinite if it never does. */
function epochsTo(target, accuracy) {
  const epoch = accuracy.findIndex((value) => value >= target);
  return epoch < 0 ? Number.POSITIVE_INFINITY : epoch + 1;
}

const median = (values) => [...values].sort((a, b) => a - b)[(values.length - 1) / 2];
const whole = (count) => (count === Number.POSITIVE_INFINITY ? "never" : `${count}`);

/** The median over the seeds, and the range. */
function spread(values, text) {
  const [least, middle, most] = [Math.min(...values), median(values), Math.max(...values)].map(text);
  return least === most ? middle : `${middle} (${least} to ${most})`;
}

const counts = ({ runs }, target) => runs.map((accuracy) => epochsTo(target, accuracy));

/** Epochs that batch normalization saves. */
function saved(before, after) {
  if (before === Number.POSITIVE_INFINITY) return after < before ? "plain never" : "neither";
  const change = Math.round(100 * (1 - after / before));
  return change < 0 ? `${-change} % more` : `${change} % fewer`;
}

/** A row for the difference between the kinds at some rates, each kind at the fastest of them. */
function difference(title, chosen) {
  const fastest = (kind, target) =>
    Math.min(...chosen.filter((group) => group.kind === kind).map((group) => median(counts(group, target))));
  const cells = targets.map((target) => saved(...kinds.map((kind) => fastest(kind, target))));
  return [title, "difference", ...cells, "", ""];
}

/** How many runs ended near chance. One whose weights overflowed to NaN is not even right by chance. */
function failures(ends) {
  const overflowed = ends.filter((end) => end === 0).length;
  const stalled = ends.filter((end) => end < 0.5).length - overflowed;
  const parts = [stalled && `${stalled} stalled`, overflowed && `${overflowed} overflowed`].filter(Boolean);
  return parts.join(", ") || "none";
}

const table = [
  [
    "learning rate",
    "network",
    ...targets.map((target) => `epochs to ${100 * target} %`),
    "accuracy at the end",
    `failed, of ${seeds.length}`,
  ],
];
for (const [i, group] of groups.entries()) {
  const ends = group.runs.map((accuracy) => accuracy.at(-1));
  table.push([
    `${group.rate}`,
    group.kind,
    ...targets.map((target) => spread(counts(group, target), whole)),
    spread(ends, percent),
    failures(ends),
  ]);
  if (i % 2 === 1) table.push(difference(`${group.rate}`, [groups[i - 1], group]));
}
if (rates.length > 1) table.push(difference("each at its best", groups));

const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
const lines = table.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column])));
if (options.markdown) {
  lines.splice(
    1,
    0,
    widths.map((width) => "-".repeat(width)),
  );
}
for (const cells of lines) {
  console.log(options.markdown ? `| ${cells.join(" | ")} |` : cells.join("  ").trimEnd());
}
console.log(
  `\n${training.length} digits to train on, ${test[1].length} to test. ${hidden} hidden layers of 64, ReLU, He` +
    ` initialization, batches of ${batch}, SGD without momentum, ${epochs} epochs. Median (range) of` +
    ` ${seeds.length} seeds; ${seconds.toFixed(0)} s.`,
);

if (options.rates === undefined && options.hidden === undefined) {
  writeFileSync(new URL("digits.svg", import.meta.url), draw(groups));
}
