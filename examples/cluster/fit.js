// What is collected of a shard, and merged: scalers and statistics side by side.

import { Extrema, MinMaxScaler, Moments, StandardScaler } from "simdnorm";
import { FEATURES, rowsOf } from "./shards.js";

export class Fit {
  constructor(
    standard = new StandardScaler(FEATURES),
    minmax = new MinMaxScaler(FEATURES),
    moments = new Moments(FEATURES),
    extrema = new Extrema(FEATURES),
  ) {
    Object.assign(this, { standard, minmax, moments, extrema });
  }

  add(rows) {
    this.standard.partialFit(rows);
    this.minmax.partialFit(rows);
    this.moments.add(rows);
    this.extrema.add(rows);
    return this;
  }

  merge(other) {
    for (const name of Object.keys(this)) this[name].merge(other[name]);
    return this;
  }

  static fromJSON({ standard, minmax, moments, extrema }) {
    return new Fit(
      StandardScaler.fromJSON(standard),
      MinMaxScaler.fromJSON(minmax),
      Moments.fromJSON(moments),
      Extrema.fromJSON(extrema),
    );
  }
}

/** A shard's fit. `seen` is called, and awaited, with the rows so far. */
export async function fitShard(shard, seen = () => {}) {
  const fit = new Fit();
  for await (const rows of rowsOf(shard)) {
    fit.add(rows);
    await seen(fit.moments.count);
  }
  return fit;
}

/** Fits as one, in the order given: the order decides the last bits. */
export function mergeAll(fits) {
  return fits.reduce((all, fit) => all.merge(fit), new Fit());
}
