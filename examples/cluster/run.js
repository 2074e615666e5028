// node run.js [redis | postgres | URL]: scalers fitted by a cluster of workers, beside those of one process.

import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { showRows } from "./bar.js";
import { Cluster } from "./cluster.js";
import { fitShard, mergeAll } from "./fit.js";
import { serve } from "./server.js";
import { shards } from "./shards.js";

const ROWS = 262_144;
const work = shards(16, ROWS);
const workers = availableParallelism();

const server = await serve(process.argv[2]);
const cluster = new Cluster(server.url);
cluster.errors.pipe(process.stderr);
await Promise.all(Array.from({ length: workers }, () => cluster.spawn()));
console.log(`${work.length} shards of ${ROWS} rows, ${workers} workers, ${server.name}`);

const run = randomUUID();
showRows(cluster.events, run, work.length * ROWS);
const [fit, together] = await timed(async () => cluster.result(await cluster.add(work, run)));
const [one, alone] = await timed(async () => {
  const fits = [];
  for (const shard of work) fits.push(await fitShard(shard));
  return mergeAll(fits);
});

console.table(
  Array.from(fit.standard.mean, (mean, j) => ({
    mean,
    "of one process": one.standard.mean[j],
    deviation: fit.standard.scale[j],
    "of one process ": one.standard.scale[j],
  })),
);
const same = JSON.stringify(fit) === JSON.stringify(one);
console.log(`${Object.keys(fit).join(", ")}: ${same ? "the same bits" : "OTHER BITS"}`);
console.log(`${together.toFixed(1)} s by the workers, ${alone.toFixed(1)} s by one process`);
process.exit(same ? 0 : 1);

async function timed(work) {
  const start = performance.now();
  return [await work(), (performance.now() - start) / 1000];
}
