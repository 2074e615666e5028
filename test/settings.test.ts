// What nouns are made of, each setting and each field of what was saved with every wrong value: refused with an error
// that names it, or taken and saved again as it was.

import {
  Affine,
  BatchNorm,
  Extrema,
  GroupNorm,
  ImageScaler,
  InstanceNorm,
  LayerNorm,
  MinMaxScaler,
  Moments,
  RMSNorm,
  StandardScaler,
  Tensor,
} from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { ramp } from "./subjects.js";

/** Wrong for every setting. */
const NEVER = [
  ...["1", "true", "", {}, [], [[]], Symbol("1"), 1n, new Date(0), () => 1, new DataView(new ArrayBuffer(8))],
  ...[new Float32Array(0), new BigInt64Array(2), new Array(2), [1, "2"], [1, null], { length: 2 }, new Map()],
];
const NOT_NUMBERS = [...NEVER, true, null, [1, 2]];
const ODD_NUMBERS = [Number.NaN, Infinity, -Infinity];

/** Wrong values by what a setting is. */
const kinds = {
  integer: [...NOT_NUMBERS, ...ODD_NUMBERS, 0.5, 2 ** 53],
  epsilon: [...NOT_NUMBERS, ...ODD_NUMBERS, -1, -1e-300],
  momentum: [...NOT_NUMBERS, ...ODD_NUMBERS, -0.1, 1.1].filter((value) => value !== null),
  flag: [...NEVER, null, 0, 1, Number.NaN],
  name: [...NEVER, null, 0, "Propagate", "rgb"],
  list: [...NEVER, null, 2, true, [1], [1, 2, 3], new Float32Array(3)],
  parameter: [...NEVER, 2, true, [1], [1, 2, 3], new Float32Array(3)],
  variances: [...NEVER, null, 2, [1], [1, -1], [1, -Infinity], new Float64Array(3)],
  range: [
    ...NEVER,
    null,
    1,
    [0],
    [1, 0],
    [0, 0],
    [0, 1, 2],
    [0, Infinity],
    [Number.NaN, 1],
    [0, 1e39],
    [1, 1 + 1e-9],
  ],
  channel: [...NEVER, null, true, ...ODD_NUMBERS, 1e300, [1, 2], [1, 2, Number.NaN], new Float32Array(4)],
} as const;

type Kind = keyof typeof kinds;

const settings: [noun: string, make: (options: object) => unknown, options: Record<string, Kind>][] = [
  [
    "BatchNorm",
    (options) => new BatchNorm(2, options),
    {
      axis: "integer",
      epsilon: "epsilon",
      momentum: "momentum",
      unbiased: "flag",
      gamma: "parameter",
      beta: "parameter",
      runningMean: "list",
      runningVariance: "variances",
    },
  ],
  [
    "GroupNorm",
    (options) => new GroupNorm(1, 2, options),
    { axis: "integer", epsilon: "epsilon", gamma: "parameter", beta: "parameter" },
  ],
  [
    "InstanceNorm",
    (options) => new InstanceNorm(2, options),
    { axis: "integer", epsilon: "epsilon", gamma: "parameter", beta: "parameter" },
  ],
  [
    "LayerNorm",
    (options) => new LayerNorm(2, options),
    { epsilon: "epsilon", gamma: "parameter", beta: "parameter" },
  ],
  ["RMSNorm", (options) => new RMSNorm(2, options), { epsilon: "epsilon", gamma: "parameter" }],
  ["Affine", (options) => new Affine(2, options), { center: "list", scale: "list", shift: "list" }],
  ["Moments", (options) => new Moments(2, options), { axis: "integer", nan: "name" }],
  ["Extrema", (options) => new Extrema(2, options), { axis: "integer" }],
  [
    "StandardScaler",
    (options) => new StandardScaler(2, options),
    { axis: "integer", withMean: "flag", withStd: "flag" },
  ],
  [
    "MinMaxScaler",
    (options) => new MinMaxScaler(2, options),
    { axis: "integer", range: "range", clip: "flag" },
  ],
  [
    "ImageScaler",
    (options) => new ImageScaler(options),
    { mean: "channel", std: "channel", channels: "name", layout: "name" },
  ],
];

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

const shown = (value: unknown): string =>
  typeof value === "symbol" ? "a symbol" : `${typeof value} ${value}`;

/** Our error, about this name. */
function expectRefusal(error: unknown, names: string, value: unknown): void {
  const ours = error instanceof TypeError || error instanceof RangeError;
  const message = ours ? error.message : `${shown(value)}: ${error}`;
  expect(message).toMatch(new RegExp(`^(${names})(\\[\\d+\\])?: `));
}

onBothBackends(() => {
  const all = settings.flatMap(([noun, make, options]) =>
    Object.entries(options).map(([name, kind]) => [noun, name, make, kind] as const),
  );

  test.each(all)("new %s: %s", (_, name, make, kind) => {
    for (const value of kinds[kind]) {
      // Not what is wrong for some settings only.
      expectRefusal(
        thrown(() => make({ [name]: value })),
        name,
        value,
      );
    }
  });

  test.each([
    ["BatchNorm", BatchNorm],
    ["InstanceNorm", InstanceNorm],
    ["LayerNorm", LayerNorm],
    ["RMSNorm", RMSNorm],
    ["Affine", Affine],
    ["Moments", Moments],
    ["Extrema", Extrema],
    ["StandardScaler", StandardScaler],
    ["MinMaxScaler", MinMaxScaler],
  ])("new %s: how many features", (name, noun) => {
    for (const features of [0, -1, 0.5, 2 ** 28 + 1, 2 ** 53, ...ODD_NUMBERS, "2", true, 1n, Symbol("2")]) {
      expectRefusal(
        thrown(() => Reflect.construct(noun, [features])),
        "features",
        features,
      );
    }
    const second = /Norm$|Affine/.test(name) ? [null, "axis", 7, [1], new Float32Array(2)] : [null, 7];
    for (const options of second) {
      expectRefusal(
        thrown(() => Reflect.construct(noun, [2, options])),
        "options",
        options,
      );
    }
  });
});

describe("what was saved", () => {
  const x = ramp(40);
  const layer = new BatchNorm(2);
  layer.train(x);
  const pixels = { data: new Uint8Array(16).map((_, i) => 7 * i), width: 2, height: 2 };
  const nouns: [string, { toJSON(): object }, { fromJSON(json: never): { toJSON(): object } }][] = [
    ["BatchNorm", layer, BatchNorm],
    ["GroupNorm", new GroupNorm(1, 2, { axis: 1, beta: null }), GroupNorm],
    ["InstanceNorm", new InstanceNorm(2, { gamma: [1, 2] }), InstanceNorm],
    ["LayerNorm", new LayerNorm(2, { gamma: [1, 2] }), LayerNorm],
    ["RMSNorm", new RMSNorm(2, { gamma: null }), RMSNorm],
    ["Affine", layer.fold(), Affine],
    ["Moments", new Moments(2).add(x), Moments],
    ["Extrema", new Extrema(2).add(x), Extrema],
    ["StandardScaler", new StandardScaler(2).fit(x), StandardScaler],
    ["MinMaxScaler", new MinMaxScaler(2).fit(x), MinMaxScaler],
    ["ImageScaler", new ImageScaler({ mean: 1, std: 2 }), ImageScaler],
    ["ImageScaler that was fitted", ImageScaler.fit([pixels]), ImageScaler],
    ["Tensor", new Tensor([2, 3], [1, 2, 3, 4, 5, 6]), Tensor],
  ];
  const bad: unknown[] = [
    ...[
      undefined,
      null,
      true,
      0,
      -1,
      0.5,
      3,
      2 ** 29,
      "",
      "1",
      "NaN",
      "Infinity",
      "nan",
      {},
      [],
      [1],
      [1, 2, 3],
    ],
    ...[
      [null, 1],
      ["1", 2],
      [1, [2]],
      ["NaN", 1],
      [1, "-Infinity"],
      [-1, -1],
      new Float64Array(2),
      new Array(2),
    ],
  ];

  test.each(nouns)("%s", (_, noun, { fromJSON }) => {
    const saved = JSON.stringify(noun);
    const from = (json: unknown) => Reflect.apply(fromJSON, noun.constructor, [json]) as { toJSON(): object };
    expect(JSON.stringify(from(JSON.parse(saved)))).toBe(saved);
    for (const json of [
      undefined,
      null,
      1,
      saved,
      [],
      {},
      structuredClone(Object.assign(Object.create(null), {})),
    ]) {
      expectRefusal(
        thrown(() => from(json)),
        "json|features|shape|channels",
        json,
      );
    }
    const visit = (json: Record<string, unknown>, path: readonly string[]): void => {
      for (const name of Object.keys(json)) {
        for (const value of bad) {
          // What a scaler was fitted to says it.
          if (
            name === "features" &&
            value === null &&
            path.length === 0 &&
            ("moments" in json || "extrema" in json)
          )
            continue;
          const changed: Record<string, unknown> = JSON.parse(saved);
          const held = path.reduce((at, key) => at[key] as Record<string, unknown>, changed);
          held[name] = value;
          // Another value, that is valid, is kept as it is.
          let made: string;
          try {
            made = JSON.stringify(from(changed));
          } catch (error) {
            expectRefusal(error, "json|[a-z0-9A-Z.]+", [name, value]);
            continue;
          }
          expect([name, JSON.parse(made)]).toEqual([name, changed]);
        }
        const inner = json[name];
        if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
          visit(inner as Record<string, unknown>, [...path, name]);
        }
      }
    };
    visit(JSON.parse(saved), []);
  });
});
