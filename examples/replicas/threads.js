// Replicas, each in a thread of its own.

import { Worker } from "node:worker_threads";
import { sharedBy } from "./group.js";
import { LARGEST } from "./training.js";

/** Trains with so many replicas, and resolves to what each of them returns. */
export async function trainOnThreads(size, settings) {
  const shared = sharedBy(size, LARGEST);
  const workers = Array.from(
    { length: size },
    (_, rank) =>
      new Worker(new URL("replica.js", import.meta.url), { workerData: { rank, shared, settings } }),
  );
  try {
    return await Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve, reject) => {
            worker.once("message", resolve);
            worker.once("error", reject);
          }),
      ),
    );
  } finally {
    // Where one has failed, the others wait for it.
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
