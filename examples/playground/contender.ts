// What is timed: a call, in short cycles, of which the fastest counts.

import { Bench } from "tinybench";

/** Milliseconds of a cycle: clocks of browsers tell a tenth of one. */
const CYCLE = 8;

/** Cycles of a round. */
const CYCLES = 3;

export class Contender {
  readonly #call: () => void;
  /** As many as fill a cycle. */
  #calls = 1;

  constructor(call: () => void) {
    this.#call = call;
  }

  /** Milliseconds per call in the fastest of some cycles. */
  round(): number {
    for (;;) {
      const fastest = this.#fastest();
      if (fastest >= CYCLE / 2) return fastest / this.#calls;
      this.#calls *= 2;
    }
  }

  #fastest(): number {
    const cycle = () => {
      for (let i = 0; i < this.#calls; i++) this.#call();
    };
    const bench = new Bench({ iterations: CYCLES, time: 0, warmup: false });
    const [{ result }] = bench.add("cycle", cycle, { async: false }).runSync();
    if (result.state !== "completed") throw new Error(`the call was ${result.state}`);
    return result.latency.min;
  }
}
