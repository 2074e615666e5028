// The work as BullMQ's flow: a child job for each shard, and the parent job that merges what they return.

/** `run` is a new id: a store that knows a job's id does not run it again. */
export function flow(shards, run) {
  const children = shards.map((data, i) => ({
    name: "fit",
    queueName: "fit",
    data,
    opts: {
      jobId: `${run}-${String(i).padStart(6, "0")}`,
      attempts: 5,
      backoff: { type: "exponential", delay: 200 },
      failParentOnFailure: true, // Otherwise the parent waits for ever.
    },
  }));
  return { name: "merge", queueName: "merge", opts: { jobId: run, attempts: 5 }, children };
}
