// node worker.js URL: a worker, on any machine that reaches the store at redis://… or postgres://…. One per core.

import { setTimeout } from "node:timers/promises";
import { Worker } from "bullmq";
import { Fit, fitShard, mergeAll } from "./fit.js";
import { store } from "./store.js";

const [url, settings = "{}"] = process.argv.slice(2);
// Options of BullMQ's workers; `pause`, in ms at each piece, makes shards take long enough to lose workers in them.
const { pause = 0, ...options } = JSON.parse(settings);

/** A child job. Its only effect is what it returns, which is stored once, by whoever holds the job's lock. */
async function fit(job) {
  let told = Date.now();
  return fitShard(job.data, async (rows) => {
    if (pause > 0) await setTimeout(pause);
    if (Date.now() < told + 200) return; // Telling costs the store about what a shard does.
    told = Date.now();
    await job.updateProgress({ rows });
  });
}

/** The parent job, once all children are done. Their ids end in the shard's number: sorted, they are always in one order. */
async function merge(job) {
  const children = Object.entries(await job.getChildrenValues());
  children.sort(([a], [b]) => (a < b ? -1 : 1));
  return mergeAll(children.map(([, json]) => Fit.fromJSON(json)));
}

// A shard may lose its worker more than once (by default its second loss is its end): machines come and go.
const { connection, backend } = store(url);
const common = { connection, name: String(process.pid), maxStalledCount: 10, ...options };
const workers = [new Worker("fit", fit, common, backend), new Worker("merge", merge, common, backend)];
for (const worker of workers)
  worker.on("error", ({ message }) => console.error(`${process.pid}: ${message}`));

process.once("SIGTERM", async () => {
  await Promise.all(workers.map((worker) => worker.close())); // finishes the shard in hand
  process.exit();
});
process.once("disconnect", () => process.exit());
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
process.send?.("ready");
