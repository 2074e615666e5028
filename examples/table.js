// A CSV file of numbers as a row-major Float32Array, and the name of each column.

import { readFileSync } from "node:fs";

/** @returns {{ names: string[], rows: number[][] }} */
export function readTable(file) {
  const [head, ...lines] = readFileSync(new URL(`data/${file}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  return { names: head.split(","), rows: lines.map((line) => line.split(",").map(Number)) };
}
