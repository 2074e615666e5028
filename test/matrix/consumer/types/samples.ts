// Statistics and scalers: the forms of data they take, and those they give back.

import {
  Extrema,
  ImageScaler,
  type LikeSamples,
  MinMaxScaler,
  Moments,
  type OutSamples,
  type Samples,
  StandardScaler,
  Tensor,
} from "simdnorm";
import { exactly } from "./exactly.js";

type Doubles = Float64Array<ArrayBuffer>;

const rows = [
  [1, 10],
  [2, 20],
];
const frozen: readonly (readonly number[])[] = rows;
const literal = [[1, 10]] as const;
const doubles = rows.map((row) => Float64Array.from(row));
const floats = rows.map((row) => Float32Array.from(row));
const flat = Float64Array.of(1, 10, 2, 20);
const singles = Float32Array.of(1, 10, 2, 20);
const tensor = new Tensor([2, 2], singles);
const mixed = [Float64Array.of(1, 10), [2, 20]];

export const scaler = new StandardScaler();
new StandardScaler(2);
new StandardScaler({ withMean: false });
new StandardScaler(undefined, { withMean: false });
new MinMaxScaler({ range: [-1, 1], clip: true });
new Moments({ axis: 0, nan: "ignore" });
new Extrema(2, { axis: 1 });

// ------------------------------------------------- what goes in decides what comes out

exactly<number[][]>()(scaler.fitTransform(rows));
exactly<number[][]>()(scaler.transform(frozen));
exactly<number[][]>()(scaler.transform(literal));
exactly<number[][]>()(scaler.transform([[1, 10]]));
exactly<Doubles[]>()(scaler.transform(doubles));
exactly<Float32Array<ArrayBuffer>[]>()(scaler.inverseTransform(floats));
exactly<(Doubles | number[])[]>()(scaler.transform(mixed));
exactly<Doubles>()(scaler.transform(flat));
exactly<Float32Array<ArrayBuffer>>()(scaler.transform(singles));
exactly<Tensor>()(scaler.transform(tensor));
exactly<StandardScaler>()(
  scaler
    .fit(rows)
    .partialFit(flat, { shape: [2, 2] })
    .merge(scaler),
);

scaler.transform(rows, { out: rows });
scaler.transform(frozen, { out: rows });
scaler.transform(doubles, { out: doubles });
scaler.transform(doubles, { out: [new Float64Array(new SharedArrayBuffer(16)), new Float64Array(2)] });
scaler.transform(mixed, { out: mixed });
scaler.transform(flat, { out: new Float64Array(new SharedArrayBuffer(32)), shape: [2, 2] });
scaler.transform(tensor, { out: tensor });

// ----------------------------------------------------------------- a user's functions

export function standardize<X extends Samples>(x: X): LikeSamples<X> {
  return new StandardScaler().fitTransform(x);
}

export function into<X extends Samples>(x: X, out: OutSamples<X>): LikeSamples<X> {
  return new MinMaxScaler().fitTransform(x, { out });
}

export function any(x: Samples): Samples {
  return scaler.transform(scaler.fitTransform(x));
}

export function either(scaler: StandardScaler | MinMaxScaler, x: number[][]): number[][] {
  return scaler.fit(x).transform(x);
}

exactly<number[][]>()(standardize(rows));
exactly<Doubles>()(into(flat, flat));

// ------------------------------------------------------- what the library allocates

exactly<Doubles>()(new Moments().add(rows).mean);
exactly<Doubles>()(new Moments().add(frozen).variance);
exactly<number | Doubles>()(new Moments().count);
exactly<Doubles>()(new Extrema().add(literal).max);
exactly<Doubles | undefined>()(scaler.mean);
exactly<Doubles | undefined>()(new MinMaxScaler().scale);
exactly<number | Doubles | undefined>()(scaler.count);
exactly<Doubles>()(new ImageScaler().mean);
exactly<Doubles>()(new ImageScaler().std);

// ----------------------------------------------------------------------- elsewhere

export const saved = scaler.toJSON();
StandardScaler.fromJSON(saved);
export const range = new MinMaxScaler().toJSON();
MinMaxScaler.fromJSON(JSON.parse(JSON.stringify(range)));
export const { mean, count } = new Moments().toJSON();
export const ends = Extrema.fromJSON(new Extrema().toJSON());
StandardScaler.fromSklearn({ mean_: [1], scale_: [2], var_: [4], n_samples_seen_: 3 }, { axis: 0 });
/** As an import of a JSON file is typed. */
declare const imported: {
  features: number;
  axis: number;
  withMean: boolean;
  withStd: boolean;
  moments: {
    features: number;
    axis: number;
    nan: string;
    count: number;
    mean: (string | number)[];
    m2: number[];
  };
};
StandardScaler.fromJSON(imported);
declare const importedImages: {
  channels: string;
  layout: string;
  mean: number[];
  std: number[];
  sums: { count: string; sum: string[]; squares: string[] };
};
ImageScaler.fromJSON(importedImages);
declare const importedGiven: { channels: string; layout: string; mean: number[]; std: number[]; sums: null };
ImageScaler.fromJSON(importedGiven);
ImageScaler.fromJSON(new ImageScaler().toJSON());
// As `vars(scaler)` shows them.
StandardScaler.fromSklearn({
  with_mean: true,
  with_std: true,
  copy: true,
  feature_names_in_: ["alcohol", "ash"],
  n_features_in_: 2,
  n_samples_seen_: 178,
  mean_: [13, 2.4],
  var_: [0.66, 0.07],
  scale_: [0.81, 0.27],
});
MinMaxScaler.fromSklearn({
  feature_range: [0, 1],
  copy: true,
  clip: false,
  n_features_in_: 1,
  n_samples_seen_: 178,
  data_min_: [11],
  data_max_: [14.8],
  data_range_: [3.8],
  scale_: [0.26],
  min_: [-2.9],
});
MinMaxScaler.fromSklearn({ data_min_: [1], data_max_: Float64Array.of(2), feature_range: [0, 1] as const });
