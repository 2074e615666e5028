// Contenders are timed in rounds, each for a short cycle in turn, so that a busy moment of the machine meets all of
// them alike; what counts is the fastest cycle.

import Benchmark from "benchmark";

/** Seconds per cycle: long enough for benchmark's own loop to be optimized, which costs small calls 25 ns before. */
const CYCLE = 0.01;

export class Contender {
  /** Seconds per call in the fastest cycle. */
  best = Number.POSITIVE_INFINITY;
  #benchmark;

  /** @param {() => void} call what is timed */
  constructor(call) {
    this.#benchmark = new Benchmark({
      fn: call,
      minTime: CYCLE,
      maxTime: 0,
      minSamples: 1,
    });
  }

  round() {
    const benchmark = this.#benchmark;
    benchmark.run();
    if (benchmark.error) throw benchmark.error;
    this.best = Math.min(this.best, ...benchmark.stats.sample);
    // The next round starts with this many calls, instead of counting up from 1.
    benchmark.options.initCount = benchmark.count;
  }
}
