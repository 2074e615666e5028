import { expect, test } from "vitest";
import { pixelMap, pixelTable } from "../src/pixel-map.js";
import { uniform } from "./data.js";
import { pixel, ulp } from "./reference.js";

/** ImageNet, CLIP, CIFAR-10, MNIST, Inception, the bare [0, 1], and Caffe's means on a scale of 255. */
export const usual = [
  { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
  { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  { mean: [0.1307, 0.1307, 0.1307], std: [0.3081, 0.3081, 0.3081] },
  { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  { mean: [0, 0, 0], std: [1, 1, 1] },
  { mean: [103.939 / 255, 116.779 / 255, 123.68 / 255], std: [1 / 255, 1 / 255, 1 / 255] },
];

/** The largest error of all bytes, in ULP of the largest term, and whether kernels can run. */
function worstOf(mean: number, std: number): { error: number; exact: boolean } {
  const { map, levels } = pixelTable([mean], [std]);
  let error = 0;
  for (let v = 0; v < 256; v++) {
    const { y, largest } = pixel(v, mean, std);
    error = Math.max(error, Math.abs(levels[v] - y) / ulp(largest));
  }
  return { error, exact: map.exact };
}

// With M the largest term and u = 2⁻²⁴: the roundings of center and unit were chosen to cost at most u/2·M, and u·M is
// at most one ULP of M. The rounding of y costs half an ULP: 1 in all. Where no such center is to be had, y is that of
// float64, rounded once: half an ULP, and hardly more.

test.each(usual)("mean $mean, std $std: every byte within 1 ULP of its largest term", ({ mean, std }) => {
  for (let c = 0; c < 3; c++) {
    const { error, exact } = worstOf(mean[c], std[c]);
    expect(exact).toBe(true);
    expect(error).toBeLessThanOrEqual(1);
  }
});

test("means and deviations of four digits: within 1 ULP", () => {
  const random = uniform(1);
  for (let i = 0; i < 1000; i++) {
    const { error, exact } = worstOf(Math.round(1e4 * random()) / 1e4, Math.ceil(1e4 * random()) / 1e4);
    expect(exact).toBe(true);
    expect(error).toBeLessThanOrEqual(1);
  }
});

test.each([
  ["any", (random: number) => random],
  ["dark", (random: number) => 0.02 * random],
  ["hardly any", (random: number) => Math.exp(-40 * random)],
  ["outside", (random: number) => 10 * (random - 0.5)],
  ["far outside", (random: number) => 200 * (random - 0.5)],
  ["out of reach", (random: number) => 2 ** (200 * random - 100)],
])("%s mean, any deviation: within 1 ULP", (_, of) => {
  const random = uniform(2);
  for (let i = 0; i < 500; i++) {
    const { error, exact } = worstOf(of(random()), Math.exp(12 * (random() - 0.5)));
    expect(error).toBeLessThanOrEqual(exact ? 1 : 0.5 + 1e-6);
  }
});

test("the step is an integer that 16 bits hold", () => {
  const random = uniform(3);
  for (let i = 0; i < 500; i++) {
    const { step, exact } = pixelMap([2 ** (16 * random()) - 1], [random()]);
    expect(step[0] >= 1).toBe(exact);
    expect(step[0]).toBeLessThan(2 ** 15);
  }
});
