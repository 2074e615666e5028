// Timestamps in milliseconds keep their differences: numbers are float64 from end to end.

import { StandardScaler } from "simdnorm";
import { worst } from "./worst.js";

const start = Date.UTC(2026, 0, 1);
const [count, interval] = [1000, 20];
const times = Float64Array.from({ length: count }, (_, i) => start + interval * i);

const scaler = new StandardScaler(1);
const z = scaler.fitTransform(times);
const back = scaler.inverseTransform(z);

// Of numbers at equal distances: mean = (first + last)/2, variance = interval²·(n² − 1)/12.
const middle = (count - 1) / 2;
const deviation = interval * Math.sqrt((count ** 2 - 1) / 12);
const expected = Array.from(times, (_, i) => (interval * (i - middle)) / deviation);
// The mean is a float64 number near 1.8·10¹², whose neighbours are 2⁻¹² apart.
const difference = worst(z, expected, 2 ** -12 / deviation + 1e-12);
worst(back.map(Math.round), times, 0);
const distinct = (values: ArrayLike<number>) => new Set(Array.from(values)).size;
if (distinct(z) !== count) throw new Error(`${distinct(z)} distinct values`);
console.log(
  `timestamps: ${distinct(z)} of ${count} distinct (float32 has ${distinct(Float32Array.from(times))}), within ${difference}`,
);
