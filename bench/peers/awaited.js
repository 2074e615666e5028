/** A contender whose calls are promises, which benchmark can only time with timers in between. */
export class Awaited {
  best = Number.POSITIVE_INFINITY;
  #call;
  #calls = 1;

  constructor(call) {
    this.#call = call;
  }

  async round() {
    const start = performance.now();
    for (let i = 0; i < this.#calls; i++) await this.#call();
    const seconds = (performance.now() - start) / 1e3;
    this.best = Math.min(this.best, seconds / this.#calls);
    if (seconds < 0.01) this.#calls *= 2;
  }
}
