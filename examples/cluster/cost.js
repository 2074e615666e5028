// node cost.js [redis | postgres | URL]: what a shard costs beside its work: its job, its state, its part in the merge.
// Shards of one row, a thousand in a flow; the fastest of five flows.

import { availableParallelism } from "node:os";
import { Cluster } from "./cluster.js";
import { serve } from "./server.js";
import { shards } from "./shards.js";

const COUNT = 1000;
const server = await serve(process.argv[2]);
const cluster = new Cluster(server.url);
cluster.errors.pipe(process.stderr);
const workers = availableParallelism();
await Promise.all(Array.from({ length: workers }, () => cluster.spawn()));

let fastest = Number.POSITIVE_INFINITY;
for (let round = 0; round < 5; round++) {
  const start = performance.now();
  await cluster.result(await cluster.add(shards(COUNT, 1)));
  fastest = Math.min(fastest, (performance.now() - start) / COUNT);
}
console.log(`${server.name}, ${workers} workers: ${fastest.toFixed(2)} ms per shard`);
process.exit();
