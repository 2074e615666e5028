// Handwritten digits to train on and to test on, the same ones for every program.

import { generator } from "./network.js";
import { readTable } from "./table.js";

/** The rows in a new order (Fisher and Yates). */
export function shuffled(rows, random) {
  const order = [...rows];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Pixels from 0 to 1, and labels. */
export const samples = (rows) => [
  Float32Array.from(rows.flatMap((row) => row.slice(0, 64).map((pixel) => pixel / 16))),
  rows.map((row) => row[64]),
];

const rows = shuffled(readTable("digits.csv").rows, generator(0));

/** Rows, as many as make 22 batches of 64. */
export const training = rows.slice(0, 22 * 64);

/** The other 389, as samples. */
export const test = samples(rows.slice(training.length));
