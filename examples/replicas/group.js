// A group of replicas on threads of one machine, and what they reduce together through shared memory.

import { Moments } from "simdnorm";

/** What each thread of a group of `size` is given: room for a record of `length` numbers of each, twice. */
export function sharedBy(size, length) {
  return {
    size,
    length,
    // How many have arrived at the barrier, and how often all have.
    barrier: new Int32Array(new SharedArrayBuffer(8)),
    records: new Float64Array(new SharedArrayBuffer(2 * size * length * 8)),
  };
}

export class Group {
  #shared;
  #half = 0;

  /** Of the replicas 0 to size − 1 this is `rank`; each is in one thread, and all call the same methods in turn. */
  constructor(rank, shared) {
    this.rank = rank;
    this.size = shared.size;
    this.#shared = shared;
  }

  /** The sums over all replicas of such arrays, in float64 and in the order of the replicas: the same bits for each. */
  sum(arrays) {
    const lengths = arrays.map((array) => array.length);
    const records = this.#gather(arrays);
    let start = 0;
    return lengths.map((length) => {
      const sum = new Float64Array(length);
      for (const record of records) for (let j = 0; j < length; j++) sum[j] += record[start + j];
      start += length;
      return sum;
    });
  }

  /** The moments of the parts of all replicas, merged in their order: the same bits for each. */
  moments(part) {
    const state = part.toJSON();
    const { features, count, mean, m2 } = state;
    const whole = new Moments(features);
    for (const record of this.#gather([[count], mean, m2])) {
      const [each, ...rest] = record.subarray(0, 1 + 2 * features);
      const json = { ...state, count: each, mean: rest.slice(0, features), m2: rest.slice(features) };
      whole.merge(Moments.fromJSON(json));
    }
    return whole;
  }

  /**
   * What each replica gives, once all have: views that hold until the next but one. Records alternate between two
   * halves, so that one barrier is enough: a half is written again only after the barrier of the other, at which
   * everybody has read it.
   */
  #gather(arrays) {
    const { size, length, records } = this.#shared;
    const half = this.#half;
    this.#half = 1 - half;
    const record = (rank) =>
      records.subarray((half * size + rank) * length, (half * size + rank + 1) * length);
    let start = 0;
    for (const array of arrays) {
      record(this.rank).set(array, start);
      start += array.length;
    }
    this.#meet();
    return Array.from({ length: size }, (_, rank) => record(rank));
  }

  /** Returns when every replica is here. */
  #meet() {
    const { size, barrier } = this.#shared;
    const round = Atomics.load(barrier, 1);
    if (Atomics.add(barrier, 0, 1) === size - 1) {
      Atomics.store(barrier, 0, 0);
      Atomics.add(barrier, 1, 1);
      Atomics.notify(barrier, 1);
    } else {
      // Woken or not: only the next round lets it go.
      while (Atomics.load(barrier, 1) === round) Atomics.wait(barrier, 1, round);
    }
  }
}
