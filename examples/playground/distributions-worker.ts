// Holds a table and normalizes it, in a worker of its own: a million rows do not hold up the page.

import { expose } from "comlink";
import { BatchNorm, backend, MinMaxScaler, Moments, StandardScaler } from "simdnorm";
import { type Density, densityOf } from "./density.js";
import { generatedTable } from "./generated.js";
import { readTable, type Table } from "./table.js";

/** A table as it is, or normalized in one of three ways. */
export type Method = "before" | "batch" | "standard" | "range";

/** The sliders. */
export interface Parameters {
  readonly gamma: number;
  readonly beta: number;
  readonly epsilon: number;
}

/** What is known of a table that was opened. */
export interface Opened {
  readonly names: readonly string[];
  readonly rows: number;
  readonly gaps: number;
  readonly others: readonly string[];
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/** The distributions of some columns, and the time that normalizing all of them took. */
export interface View {
  readonly densities: readonly Density[];
  readonly milliseconds: number;
}

let table: Table;
let floats: Float32Array<ArrayBuffer>;
let moments: Moments;

function open(opened: Table): Opened {
  table = opened;
  const features = table.names.length;
  // Layers take float32; the scalers take what there is.
  floats = table.values instanceof Float32Array ? table.values : Float32Array.from(table.values);
  moments = new Moments(features, { nan: "ignore" }).add(floats);
  const { names, rows, gaps, others } = table;
  // The first call compiles the kernels: it is not what is timed.
  normalized("batch", { gamma: 1, beta: 0, epsilon: 1 });
  const { mean, scale } = new StandardScaler(features).fit(table.values);
  return { names, rows, gaps, others, mean: mean!, scale: scale! };
}

function normalized(method: Method, { gamma, beta, epsilon }: Parameters): Float32Array | Float64Array {
  const features = table.names.length;
  if (method === "standard") return new StandardScaler(features).fitTransform(table.values);
  if (method === "range") return new MinMaxScaler(features).fitTransform(table.values);
  if (method === "before") return table.values;
  const layer = new BatchNorm(features, {
    epsilon,
    gamma: new Float32Array(features).fill(gamma),
    beta: new Float32Array(features).fill(beta),
    runningMean: moments.mean,
    runningVariance: moments.variance,
  });
  // A gap makes a batch's statistics NaN: then by the statistics of the values that are there.
  return table.gaps > 0 ? layer.infer(floats) : layer.train(floats);
}

const distributions = {
  backend,
  open: async (address: string, label: string) => open(readTable(await (await fetch(address)).text(), label)),
  read: async (file: Blob) => open(readTable(await file.text())),
  generate: (rows: number) => open(generatedTable(rows)),

  /** Columns from the given one on. */
  view(method: Method, parameters: Parameters, first: number, count: number): View {
    const start = performance.now();
    const values = normalized(method, parameters);
    const milliseconds = performance.now() - start;
    const features = table.names.length;
    const shown = Math.min(count, features - first);
    const densities = Array.from({ length: shown }, (_, k) => densityOf(values, first + k, features));
    return { densities, milliseconds };
  },

  save: (method: Method, parameters: Parameters) => table.write(normalized(method, parameters)),
};
export type Distributions = typeof distributions;
expose(distributions);
