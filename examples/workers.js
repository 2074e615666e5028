// One fit over several threads: each fits its own wines, and the fits merge into that of the whole.

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { MinMaxScaler, StandardScaler } from "simdnorm";
import { readTable } from "./table.js";

if (isMainThread) {
  const wines = readTable("wine.csv").rows.map((row) => row.slice(0, 13));

  const standard = new StandardScaler(13);
  const minmax = new MinMaxScaler(13);
  for (const fits of await Promise.all(split(wines, 4).map(fitInWorker))) {
    standard.merge(StandardScaler.fromJSON(fits.standard));
    minmax.merge(MinMaxScaler.fromJSON(fits.minmax));
  }

  const whole = new StandardScaler(13).fit(wines);
  const largest = Math.max(...whole.scale.map((scale, j) => Math.abs(standard.scale[j] / scale - 1)));
  const extrema = JSON.stringify(minmax) === JSON.stringify(new MinMaxScaler(13).fit(wines));
  console.log(`${standard.count} wines fitted in 4 threads, compared with one fit of them all:`);
  console.log(`  standard deviations differ by at most ${largest.toExponential(1)} of their size`);
  console.log(`  minima and maxima are ${extrema ? "the same" : "different"}`);
} else {
  parentPort.postMessage({
    standard: new StandardScaler(13).fit(workerData).toJSON(),
    minmax: new MinMaxScaler(13).fit(workerData).toJSON(),
  });
}

function split(rows, parts) {
  const size = Math.ceil(rows.length / parts);
  return Array.from({ length: parts }, (_, i) => rows.slice(i * size, (i + 1) * size));
}

function fitInWorker(rows) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: rows });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
