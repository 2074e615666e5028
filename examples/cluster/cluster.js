// A cluster on one machine: workers as processes, and flows for them.

import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { FlowProducer, Queue, QueueEvents } from "bullmq";
import { atEnd } from "./ending.js";
import { Fit } from "./fit.js";
import { flow } from "./flow.js";
import { store } from "./store.js";

const program = new URL("worker.js", import.meta.url);

export class Cluster {
  #url;
  #settings;
  #producer;
  #merges;
  /** Its workers by their names, which are process ids. */
  workers = new Map();
  /** What the workers complain of, in lines that begin with their names. */
  errors = new PassThrough();

  /** On the store at a URL, which may have workers elsewhere. `settings` are those of the workers. */
  constructor(url, settings = {}) {
    const { connection, backend } = store(url);
    this.#url = url;
    this.#settings = JSON.stringify(settings);
    this.#producer = new FlowProducer({ connection }, backend);
    this.#merges = new Queue("merge", { connection }, backend);
    this.shards = new Queue("fit", { connection }, backend);
    this.events = new QueueEvents("fit", { connection }, backend);
    // While the store is away they try again.
    for (const one of [this.#producer, this.#merges, this.shards, this.events]) one.on("error", () => {});
    atEnd(() => {
      for (const worker of this.workers.values()) worker.kill("SIGKILL");
    });
  }

  /** Starts one more worker. */
  async spawn() {
    const stdio = ["ignore", "inherit", "pipe", "ipc"];
    const worker = fork(program, [this.#url, this.#settings], { stdio });
    worker.stderr.on("data", (text) => this.errors.write(text));
    this.workers.set(String(worker.pid), worker);
    await new Promise((ready, failed) => {
      worker.once("message", ready);
      worker.once("exit", (status) =>
        failed(new Error(`a worker ended as it started, with status ${status}`)),
      );
    });
  }

  /** Adds the flow of these shards, and returns its id: `run`, a new one for each. */
  async add(shards, run = randomUUID()) {
    await this.events.waitUntilReady();
    await this.#producer.add(flow(shards, run));
    return run;
  }

  /**
   * The fit that the flow ends with. Asked for, not listened for: a store that was restarted knows no listeners; and
   * asked for again while the store is away.
   */
  async result(id) {
    for (;;) {
      const job = await this.#merges.getJob(id).catch(() => undefined);
      if (job?.finishedOn && job.returnvalue) return Fit.fromJSON(job.returnvalue);
      if (job?.finishedOn) throw new Error(job.failedReason);
      await setTimeout(50);
    }
  }
}
