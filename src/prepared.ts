// A table, or memory for one, that is made at its first use: one for each backend that calls run on.

import type { Backend, Kept, Table } from "./backend.js";
import { freeWhenForgotten, neverForgotten } from "./forgotten.js";

export class Prepared<Made extends Table | Kept = Table> {
  readonly #make: (backend: Backend) => Made;
  readonly #tables = new Map<Backend, Made>();
  // The latest, because a look into the map costs small calls 20 ns.
  #backend: Backend | undefined;
  #table: Made | undefined;

  constructor(make: (backend: Backend) => Made) {
    this.#make = make;
  }

  /** The table for a backend. */
  on(backend: Backend): Made {
    if (backend === this.#backend && this.#table !== undefined) return this.#table;
    let table = this.#tables.get(backend);
    if (table === undefined) {
      table = this.#make(backend);
      this.#tables.set(backend, table);
      freeWhenForgotten(this, table);
    }
    this.#backend = backend;
    this.#table = table;
    return table;
  }

  /** Gives the tables back. */
  release(): void {
    neverForgotten(this);
    for (const table of this.#tables.values()) table.free();
    this.#tables.clear();
    this.#table = undefined;
  }
}
