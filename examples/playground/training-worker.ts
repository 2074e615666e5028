// Two networks that learn the same digits from the same weights by the same batches, one with batch normalization.

import { expose } from "comlink";
import { samples, shuffled, split } from "../handwriting.js";
import { generator, Network } from "../network.js";
import { readTable } from "./table.js";

const BATCH = 64;
const SIZES = [64, 64, 64, 64, 64, 64, 64, 10];

/** The share of the test's digits that each network knows. */
export interface Accuracies {
  readonly plain: number;
  readonly normalized: number;
}

let data: ReturnType<typeof split>;
let networks: { plain: Network; normalized: Network };
let random: () => number;
let rate: number;

const training = {
  async open(address: string): Promise<void> {
    const { values, rows } = readTable(await (await fetch(address)).text());
    data = split(Array.from({ length: rows }, (_, i) => Array.from(values.subarray(65 * i, 65 * (i + 1)))));
  },

  start(seed: number, given: number): void {
    const network = (normalized: boolean) =>
      new Network(SIZES, { normalized, random: generator(seed), group: undefined });
    networks = { plain: network(false), normalized: network(true) };
    random = generator(1000 + seed);
    rate = given;
  },

  epoch(): Accuracies {
    const order = shuffled(data.training, random);
    for (let i = 0; i < order.length; i += BATCH) {
      const [x, labels] = samples(order.slice(i, i + BATCH));
      for (const network of Object.values(networks)) network.step(x, labels, rate);
    }
    const [x, labels] = data.test;
    return { plain: networks.plain.accuracy(x, labels), normalized: networks.normalized.accuracy(x, labels) };
  },

  /** The probability of each digit, by the network with batch normalization, for 8 × 8 pixels from 0 to 16. */
  recognize(pixels: ArrayLike<number>): number[] {
    // Tiles of two rows: the second is not looked at.
    const one = Array.from(pixels, (pixel) => pixel / 16);
    const both = Float32Array.from([...one, ...one]);
    const outputs = Array.from(Float32Array.from(networks.normalized.infer(both)).subarray(0, 10));
    const largest = Math.max(...outputs);
    const odds = outputs.map((output) => Math.exp(output - largest));
    const sum = odds.reduce((total, value) => total + value);
    return odds.map((value) => value / sum);
  },
};
export type Training = typeof training;
expose(training);
