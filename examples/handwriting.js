// Handwritten digits to train on and to test on, the same ones for every program.

import { generator } from "./network.js";

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

/** Of all rows, in an order of their own, as many to train on as make 22 batches of 64; the other 389, as samples, to test. */
export function split(rows) {
  const order = shuffled(rows, generator(0));
  const training = order.slice(0, 22 * 64);
  return { training, test: samples(order.slice(training.length)) };
}
