// Eight workers fit parts of a table; what they found is merged into the fit of the whole.

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { StandardScaler, type StandardScalerJSON } from "simdnorm";
import { worst } from "./worst.js";

const [workers, features, rows] = [8, 5, 4000];

/** The rows of one part; the first feature has gaps. */
function part(index: number): Float64Array {
  return Float64Array.from({ length: rows * features }, (_, i) => {
    const at = index * rows * features + i;
    return at % 100 === 0 ? Number.NaN : 1000 * (at % features) + Math.sin(at * 12.9898) * 43.7;
  });
}

function fitElsewhere(index: number): Promise<StandardScalerJSON> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: index });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

if (isMainThread) {
  const parts = await Promise.all(Array.from({ length: workers }, (_, index) => fitElsewhere(index)));
  const scaler = parts
    .map((json) => StandardScaler.fromJSON(json))
    .reduce((whole, part) => whole.merge(part));

  // mean = Σx/n and variance = Σ(x − mean)²/n of the values that are there.
  const table = Array.from({ length: workers }, (_, index) => Array.from(part(index))).flat();
  const expected = Array.from({ length: features }, (_, j) => {
    const column = table.filter((value, i) => i % features === j && !Number.isNaN(value));
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length;
    return { count: column.length, mean, variance };
  });
  // The formula's own sums of n numbers are off by n roundings of 2⁻⁵³ at most.
  const close = (value: number) => 2 * workers * rows * 2 ** -53 * Math.max(Math.abs(value), 1);
  const difference = worst(
    scaler.mean!,
    expected.map(({ mean }) => mean),
    close,
  );
  worst(
    scaler.variance!,
    expected.map(({ variance }) => variance),
    close,
  );
  worst(
    scaler.count as Float64Array,
    expected.map(({ count }) => count),
    0,
  );
  console.log(`workers: ${workers} parts merged, counts ${scaler.count}, mean within ${difference}`);
} else {
  parentPort?.postMessage(new StandardScaler(features).fit(part(workerData)).toJSON());
}
