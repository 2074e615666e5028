// Workers caught in the middle of a shard, and other moments to wait for.

import { setTimeout } from "node:timers/promises";

/**
 * A worker, other than `besides`, in the middle of a shard. It is frozen (SIGSTOP), and only then the store asked: so it
 * is there still.
 */
export function inTheMiddle(cluster, total, besides) {
  return until("a worker in the middle of a shard", async () => {
    for (const { id, processedBy: by } of await cluster.shards.getActive()) {
      const worker = cluster.workers.get(by);
      if (by === besides) continue;
      worker.kill("SIGSTOP");
      await setTimeout(100); // for what it had sent to the store
      const job = await cluster.shards.getJob(id);
      const { rows = 0 } = job.progress;
      if ((await job.isActive()) && job.processedBy === by && rows > 0 && rows < total) {
        return { worker, by, job: id, shard: job.data.seed, rows };
      }
      worker.kill("SIGCONT");
    }
  });
}

/** What `found` returns, once that is something. Two minutes without it are an error. */
export async function until(what, found) {
  for (const end = Date.now() + 120_000; Date.now() < end; await setTimeout(50)) {
    const value = await found();
    if (value) return value;
  }
  throw new Error(`waited two minutes for ${what}`);
}
