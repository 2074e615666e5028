// A family of kernels in a module of its own: steps that run in a backend's memory, made at their first use.

import { Bundled } from "./module.js";
import type { Scratch } from "./wasm.js";

export class Family<Kernels, Steps> {
  readonly #module: Bundled<Kernels>;
  readonly #make: (scratch: Scratch, kernels: Kernels) => Steps;
  #scratch: Scratch | undefined;
  #steps: Steps | null = null;

  /**
   * @param name the module's
   * @param text its bytes, as they stand in this file's bundle
   * @param make its steps
   */
  constructor(name: string, text: string, make: (scratch: Scratch, kernels: Kernels) => Steps) {
    this.#module = new Bundled(name, text);
    this.#make = make;
  }

  /** The steps in a backend's memory, kept for the next call; null where their module cannot run. */
  on(scratch: Scratch): Steps | null {
    if (scratch !== this.#scratch) {
      const kernels = this.#module.on(scratch.linear);
      // Not for good: the host may give its module later.
      if (kernels === null) return null;
      this.#steps = this.#make(scratch, kernels);
      this.#scratch = scratch;
    }
    return this.#steps;
  }
}
