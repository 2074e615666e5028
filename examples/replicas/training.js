// The digits network trained by one replica of a group, or by one process, which is a whole batch's only replica.

import { samples, shuffled, split } from "../handwriting.js";
import { generator, Network } from "../network.js";
import { readTable } from "../table.js";

const { training, test } = split(readTable("digits.csv").rows);

const SIZES = [64, 64, 64, 64, 10];

/** The most numbers that replicas exchange at once: the gradients of all parameters. */
export const LARGEST = new Network(SIZES, { normalized: true, random: Math.random }).parameters.reduce(
  (sum, values) => sum + values.length,
  0,
);

/**
 * Trains, and returns the test accuracy after every epoch, what the network is, and what it answers to the tests.
 *
 * Every batch of `batch` digits is cut into as many parts as there are replicas. `sorted` puts the digits of a batch
 * in order before, so that each replica sees only some of the ten: as if the data lay on machines by their kind.
 * `turned` puts that many of its last digits first, which changes nothing for one process but the order of its sums.
 */
export function train({ seed, batch, rate, epochs, sorted = false, turned = 0, synchronized }, group) {
  const network = new Network(SIZES, { normalized: true, random: generator(seed), group, synchronized });
  const random = generator(1000 + seed);
  const accuracy = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(training, random);
    for (let i = 0; i < order.length; i += batch) {
      const rows = order.slice(i, i + batch);
      if (sorted) rows.sort((a, b) => a[64] - b[64]);
      if (turned) rows.unshift(...rows.splice(-turned));
      network.step(...samples(group ? partOf(rows, group) : rows), rate, rows.length);
    }
    accuracy.push(network.accuracy(...test));
  }
  return {
    accuracy,
    parameters: network.parameters,
    running: network.running,
    answers: network.infer(test[0]),
  };
}

/** The part of a batch that is this replica's. */
function partOf(rows, { rank, size }) {
  const cut = (r) => Math.floor((r * rows.length) / size);
  return rows.slice(cut(rank), cut(rank + 1));
}
