// Every public call on float32 values, in one form, for tests that hold for all of them. A new noun is a row of `subjects`.

import {
  BatchNorm,
  Extrema,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  MinMaxScaler,
  Moments,
  RMSNorm,
  StandardScaler,
  Tensor,
} from "simdnorm";

/** Arguments by name: `x`, `dy`, and options. */
export type Args = Record<string, unknown>;

export interface Subject {
  readonly name: string;
  /** Names of the arguments that are values, as many as x. */
  readonly arrays: readonly string[];
  readonly options: readonly string[];
  /** Whether it takes float64 and nested arrays, too. */
  readonly samples: boolean;
  /** The shape that an array needs. */
  shape?(rows: number, features: number): number[];
  /** A noun of so many features, ready for the call. */
  open(features: number): Opened;
}

export interface Opened {
  call(args: Args): unknown;
  /** Everything that the noun knows. */
  state(): string;
}

/** Values that differ from row to row, and from feature to feature. */
export const ramp = (length: number, seed = 0): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * i + seed) * 3 + ((i + seed) % 7));

const ARRAYS = ["residual", "skip", "sum", "out"];

type Noun = object & { toJSON(): unknown };

function subject(
  name: string,
  before: readonly string[],
  options: readonly string[],
  make: (features: number) => Noun,
  samples = false,
): Subject {
  const method = name.split(".")[1];
  const arrays = [...before, ...options.filter((option) => ARRAYS.includes(option))];
  return {
    name,
    arrays,
    options,
    samples,
    open(features) {
      const noun = make(features);
      return {
        call({ ...args }) {
          const first = before.map((argument) => args[argument]);
          for (const argument of before) delete args[argument];
          return Reflect.apply(Reflect.get(noun, method), noun, [...first, args]);
        },
        state: () => JSON.stringify(noun),
      };
    },
  };
}

const APPLY = ["out", "shape", "residual", "activation"];

const layer = (features: number) => {
  const layer = new BatchNorm(features, { gamma: ramp(features, 1), beta: ramp(features, 2) });
  layer.train(ramp(12 * features));
  return layer;
};
/** Trained on what `ramp` gives, of as many rows as `ROWS`. */
const trained = (features: number) => {
  const layer = new BatchNorm(features);
  layer.train(ramp(ROWS * features));
  return layer;
};
const standard = (features: number) => new StandardScaler(features).fit(ramp(12 * features));
const range = (features: number) => new MinMaxScaler(features).fit(ramp(12 * features));

/** Rows of x. */
export const ROWS = 40;

export const subjects: readonly Subject[] = [
  subject("BatchNorm.train", ["x"], [...APPLY, "moments"], layer),
  subject("BatchNorm.infer", ["x"], APPLY, layer),
  subject("BatchNorm.backward", ["x", "dy"], ["out", "shape", "frozen", "gradients"], trained),
  subject("BatchNorm.gradients", ["x", "dy"], ["shape"], trained),
  subject("Affine.apply", ["x"], APPLY, (features) => layer(features).fold()),
  subject("Moments.add", ["x"], ["shape"], (features) => new Moments(features), true),
  subject("Extrema.add", ["x"], ["shape"], (features) => new Extrema(features), true),
  ...[standard, range].flatMap((make) => {
    const { name } = make(1).constructor;
    return [
      ...["fit", "partialFit"].map((method) => subject(`${name}.${method}`, ["x"], ["shape"], make, true)),
      ...["transform", "fitTransform", "inverseTransform"].map((method) =>
        subject(`${name}.${method}`, ["x"], ["out", "shape"], make, true),
      ),
    ];
  }),
  ...[
    (features: number) => new LayerNorm(features, { gamma: ramp(features, 1), beta: ramp(features, 2) }),
    (features: number) => new RMSNorm(features, { gamma: ramp(features, 1) }),
  ].flatMap((make) => {
    const { name } = make(1).constructor;
    return [
      subject(`${name}.apply`, ["x"], ["skip", "sum", "out"], make),
      subject(`${name}.backward`, ["x", "dy"], ["out"], make),
    ];
  }),
  ...[
    (features: number) => new GroupNorm(1, features, { gamma: ramp(features, 1) }),
    (features: number) => new InstanceNorm(features, { beta: ramp(features, 1) }),
  ].flatMap((make) => {
    const { name } = make(1).constructor;
    return [
      subject(`${name}.apply`, ["x"], APPLY, make),
      subject(`${name}.backward`, ["x", "dy"], ["out", "shape"], make),
    ].map((subject) => ({ ...subject, shape: (rows: number, features: number) => [rows / 4, 4, features] }));
  }),
];

/** The values of a result, in a form that can be compared: of arrays, of tensors, of what has fields, of nouns. */
export function valuesIn(result: unknown): unknown {
  if (result instanceof Tensor) return Array.from(result.data);
  if (ArrayBuffer.isView(result))
    return Array.from(new Float32Array(result.buffer, result.byteOffset, result.byteLength / 4));
  if (typeof result !== "object" || result === null) return result;
  if ("toJSON" in result) return JSON.stringify(result);
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name, valuesIn(value)]));
}
