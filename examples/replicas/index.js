// node examples/replicas/index.js
//
// Four replicas on threads train one network, each on its part of every batch. With synchronized batch normalization
// they are one process that sees the whole batch; without, they are not.

import { trainOnThreads } from "./threads.js";
import { train } from "./training.js";

const REPLICAS = 4;
const seeds = [1, 2, 3];
const epochs = 5;

const cases = [
  { title: "2 digits a replica: batches of 8, rate 0.02", batch: 8, rate: 0.02 },
  {
    title: "16 digits a replica, of its own kinds only: sorted batches of 64, rate 0.1",
    batch: 64,
    rate: 0.1,
    sorted: true,
  },
];

/** The largest difference between arrays. */
const difference = (some, others) =>
  Math.max(...some.map((values, i) => Math.max(...values.map((value, j) => Math.abs(value - others[i][j])))));

const percent = (share) => (100 * share).toFixed(1).padStart(4);

/** The mean over the seeds, and the range. */
function spread(shares) {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return `${percent(mean)} % (${percent(Math.min(...shares))} to ${percent(Math.max(...shares))})`;
}

/** One row of a table. */
const print = (title, cells) =>
  console.log(
    title.padEnd(24) +
      cells
        .map((cell) => cell.padStart(25))
        .join("")
        .trimEnd(),
  );

for (const { title, ...settings } of cases) {
  const runs = [];
  for (const seed of seeds) {
    const given = { ...settings, seed, epochs };
    runs.push({
      whole: train(given),
      turned: train({ ...given, turned: settings.batch / 2 }),
      together: await trainOnThreads(REPLICAS, { ...given, synchronized: true }),
      apart: await trainOnThreads(REPLICAS, { ...given, synchronized: false }),
    });
    console.error(`${title}: seed ${seed} of ${seeds.length}`);
  }

  console.log(`\n${title}\n`);
  print("", ["one process", `${REPLICAS} replicas`, `${REPLICAS} replicas`]);
  print("", ["whole batch", "synchronized", "not synchronized"]);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const kinds = [({ whole }) => whole, ({ together }) => together[0], ({ apart }) => apart[0]];
    const cells = kinds.map((kind) => spread(runs.map((run) => kind(run).accuracy[epoch])));
    print(epoch === 0 ? `accuracy after epoch ${epoch + 1}` : `${" ".repeat(21)}${epoch + 1}`, cells);
  }

  console.log("\nlargest difference from one process, of weights and of running statistics");
  print("", ["its batches turned", "synchronized", "not synchronized"]);
  for (const [i, { whole, turned, together, apart }] of runs.entries()) {
    const cells = [turned, together[0], apart[0]].map((other) =>
      [whole.parameters, whole.running]
        .map((arrays, j) => difference([other.parameters, other.running][j], arrays).toExponential(1))
        .join(", "),
    );
    print(`seed ${seeds[i]}`, cells);
  }
}
