// Pictures of real handwriting: digits as RGB bytes, dark on white, enlarged from 8 × 8.

import { split } from "../handwriting.js";
import { readTable } from "../table.js";

const { test } = split(readTable("digits.csv").rows);

const SIDE = 8;

/** Digits of the table from the first on, row by row, each enlarged to size × size; turned: the picture upside down. */
export function picture({ rows, columns, size, first = 0, turned = false }) {
  const [width, height] = [columns * size, rows * size];
  const ink = Float32Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const digit = first + Math.floor(y / size) * columns + Math.floor(x / size);
    const at = (v) => (((v % size) + 0.5) * SIDE) / size - 0.5;
    return between(test[0].subarray(digit * SIDE ** 2, (digit + 1) * SIDE ** 2), at(x), at(y));
  });
  if (turned) ink.reverse();
  const data = new Uint8Array(3 * ink.length);
  for (const [i, value] of ink.entries()) data.fill(Math.round(255 * (1 - value)), 3 * i, 3 * i + 3);
  return { data, width, height };
}

/** The bilinear mean of the four pixels about a place. */
function between(pixels, x, y) {
  const pixel = (column, row) => {
    const inside = (v) => Math.min(Math.max(v, 0), SIDE - 1);
    return pixels[inside(row) * SIDE + inside(column)];
  };
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, down] = [x - left, y - top];
  return (
    (1 - down) * ((1 - right) * pixel(left, top) + right * pixel(left + 1, top)) +
    down * ((1 - right) * pixel(left, top + 1) + right * pixel(left + 1, top + 1))
  );
}
