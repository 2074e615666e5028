// Real data: wines, whose features have very different scales, and digits, some of whose features are constant.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { MinMaxScaler, StandardScaler } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "../backends.js";
import { minMax, standard, worst } from "../reference.js";

const examples = new URL("../../examples/", import.meta.url);

function read(name: string, features: number) {
  const [, ...lines] = readFileSync(new URL(`data/${name}`, examples), "utf8")
    .trim()
    .split("\n");
  const rows = lines.map((line) => line.split(",").slice(0, features).map(Number));
  const sizes = { outer: rows.length, features, inner: 1 };
  return { rows, x: Float64Array.from(rows.flat()), sizes };
}

onBothBackends(() => {
  describe.each([
    ["wine.csv", 13, 0],
    ["digits.csv", 64, 3],
  ])("%s", (name, features, constants) => {
    const { rows, x, sizes } = read(name, features);

    test("standardized: mean 0, deviation 1, constants 0", () => {
      const exact = standard(x, sizes);
      const scaler = new StandardScaler(features).fit(rows);
      expect(scaler.count).toBe(rows.length);
      const bound = (m: number, j: number) => 1e-12 * Math.max(Math.abs(m), Math.sqrt(exact.variance[j]));
      expect(worst(scaler.mean ?? [], exact.mean, bound).ratio).toBeLessThanOrEqual(1);
      expect(worst(scaler.variance ?? [], exact.variance, (v) => 1e-12 * v).ratio).toBeLessThanOrEqual(1);
      expect(exact.scale.filter((scale, j) => scale === 1 && exact.variance[j] === 0).length).toBe(constants);

      const y = scaler.transform(rows).flat();
      const after = standard(y, sizes);
      for (let j = 0; j < features; j++) {
        expect(Math.abs(after.mean[j])).toBeLessThan(1e-12);
        const deviation = Math.sqrt(after.variance[j]);
        if (exact.variance[j] === 0) expect(deviation).toBe(0);
        else expect(Math.abs(deviation - 1)).toBeLessThan(1e-12);
      }
      const back = scaler.inverseTransform(scaler.transform(rows)).flat();
      const relative = (v: number, i: number) => 1e-12 * Math.max(Math.abs(v), exact.scale[i % features]);
      expect(worst(back, x, relative).ratio).toBeLessThanOrEqual(1);
    });

    test("min-max scaled: within the range, on its ends", () => {
      const scaler = new MinMaxScaler(features, { range: [-1, 1] });
      const y = scaler.fitTransform(rows).flat();
      const exact = minMax(x, sizes, [-1, 1]);
      expect(scaler.min).toEqual(exact.min);
      expect(scaler.max).toEqual(exact.max);
      expect(worst(y, exact.y, () => 1e-12).ratio).toBeLessThanOrEqual(1);
      for (let i = 0; i < x.length; i++) {
        const j = i % features;
        expect(Math.abs(y[i])).toBeLessThanOrEqual(1);
        if (x[i] === exact.min[j]) expect(y[i]).toBe(-1);
        else if (x[i] === exact.max[j]) expect(y[i]).toBe(1);
      }
    });
  });
});

describe("examples", () => {
  const run = (name: string) =>
    execFileSync(process.execPath, [new URL(name, examples).pathname], { encoding: "utf8" });

  test("scaler.js", () => {
    expect(run("scaler.js")).toContain("fitted on 120 wines");
  });

  test("transformer.js", () => {
    const printed = run("transformer.js");
    expect(printed).toMatch(/LayerNorm on tensors +[\d.]+ ms/);
    // Each is within 8·10⁻⁷ of a deviation, times gamma, which is at most 1, of results below 2.5.
    expect(Number(/agree to (\S+)\.\n/.exec(printed)?.[1])).toBeLessThan(4e-6);
  });

  test("workers.js", () => {
    const printed = run("workers.js");
    expect(printed).toContain("178 wines fitted in 4 threads");
    expect(printed).toContain("minima and maxima are the same");
  });
});
