// Rows without end, of six kinds of numbers at six scales: the same in every browser.

import { generator } from "../network.js";
import type { Table } from "./table.js";

const kinds: Record<string, (random: () => number) => number> = {
  normal: (random) => 20 + 4 * normal(random),
  uniform: (random) => 100 * random(),
  exponential: (random) => -8 * Math.log(1 - random()),
  "two peaks": (random) => (random() < 0.4 ? -30 : 10) + 6 * normal(random),
  triangular: (random) => 300 + 90 * (random() + random()),
  skewed: (random) => 3 * Math.exp(0.5 * normal(random)),
};

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function generatedTable(rows: number): Table {
  const names = Object.keys(kinds);
  const draws = Object.values(kinds);
  const random = generator(1);
  const values = new Float32Array(rows * names.length);
  for (let i = 0; i < values.length; ) for (const draw of draws) values[i++] = draw(random);
  return {
    names,
    rows,
    values,
    gaps: 0,
    others: [],
    write(normalized) {
      const line = (_: unknown, i: number) =>
        Array.from(names, (_, j) => normalized[i * names.length + j]).join();
      const parts = [names.join(), ...Array.from({ length: rows }, line)];
      return new Blob([parts.join("\n"), "\n"], { type: "text/csv" });
    },
  };
}
