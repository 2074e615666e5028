// What is prepared at the second use changes no bit: the first use, the second and later ones are the same, on arrays and
// on tensors, in every form that tables have.

import { Affine, BatchNorm, type Data, MinMaxScaler, StandardScaler, Tensor } from "simdnorm";
import { test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
import { expectSame } from "./random/places.js";
import type { Sizes } from "./reference.js";

// Rows that are read as one, and one fewer; planes, small ones as columns; strips of 4,096 features, and one more.
const SIZES: Sizes[] = [
  ...[1, 3, 8, 63, 64, 65, 1000].flatMap((features) =>
    [1, 31, 32, 700].map((outer) => ({ outer, features, inner: 1 })),
  ),
  ...[1, 2, 15, 16, 17, 49].map((inner) => ({ outer: 70, features: 5, inner })),
  ...[4095, 4096, 4097, 8193].flatMap((features) => [1, 3].map((inner) => ({ outer: 3, features, inner }))),
];

function copyOf(y: Data): Float32Array {
  if (!(y instanceof Tensor)) return y;
  const values = y.data.slice();
  y.dispose();
  return values;
}

onBothBackends(() => {
  test.each(SIZES)("$outer × $features × $inner", (sizes) => {
    const { outer, features, inner } = sizes;
    const shape = [outer, features, inner];
    const x = make(sizes, "N(0, 1)");
    using tensor = new Tensor(shape, x);
    const { gamma, beta, mean, variance } = parameters(features);
    const given = { axis: 1, center: mean, scale: gamma, shift: beta };
    const running = { axis: 1, gamma, beta, runningMean: mean, runningVariance: variance };
    const residual = x.map((value) => 2 - value);
    const nouns: Record<string, () => (x: Data) => Data> = {
      affine() {
        const map = new Affine(features, given);
        return (x) => map.apply<Data>(x, { shape });
      },
      "affine, then more"() {
        const map = new Affine(features, given);
        return (x) => map.apply<Data>(x, { shape, residual, activation: "relu" });
      },
      infer() {
        const layer = new BatchNorm(features, running);
        return (x) => layer.infer<Data>(x, { shape });
      },
      standard() {
        const scaler = new StandardScaler(features, { axis: 1 }).fit(x, { shape });
        return (x) => scaler.transform<Data>(x, { shape });
      },
      "min-max"() {
        const scaler = new MinMaxScaler(features, { axis: 1, range: [-1, 3] }).fit(x, { shape });
        return (x) => scaler.transform<Data>(x, { shape });
      },
      "min-max, undone"() {
        const scaler = new MinMaxScaler(features, { axis: 1 }).fit(x, { shape });
        return (x) => scaler.inverseTransform<Data>(x, { shape });
      },
    };
    for (const [name, make] of Object.entries(nouns)) {
      // Small arrays run in JavaScript where tensors do not.
      const first = new Map<Data, Float32Array>([x, tensor].map((use) => [use, copyOf(make()(use))]));
      for (const uses of [
        [x, x, x],
        [tensor, tensor, tensor],
        [x, tensor, x, tensor],
      ]) {
        const call = make();
        for (const [i, use] of uses.entries()) {
          expectSame(`${name}, use ${i}`, [copyOf(call(use))], [first.get(use) ?? []]);
        }
      }
    }
  });
});
